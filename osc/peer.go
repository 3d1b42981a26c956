package osc

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Peer is who sent a request, over whatever it came in: its answers leave where it came in. Peers are compared with ==
// and may be keys: two requests of one socket or connection come from the same Peer. The zero Peer is nobody.
type Peer struct {
	addr netip.AddrPort
	via  link
}

var errNobody = errors.New("reply to nobody: a Peer comes from a Server")

// link is what answers leave by.
type link interface {
	// send writes one packet, and never waits for a reader that is slow.
	send(to netip.AddrPort, packet []byte) error
	// gone is closed when nothing can be sent any more.
	gone() <-chan struct{}
	// name is the transport's.
	name() string
	server() *Server
}

// Local tells whether the peer is on this machine, by its loopback address.
func (p Peer) Local() bool { return p.addr.Addr().IsLoopback() }

// Addr is the address it sends from.
func (p Peer) Addr() netip.AddrPort { return p.addr }

// String is the transport and the address, like udp 127.0.0.1:49152.
func (p Peer) String() string {
	if p.via == nil {
		return "nobody"
	}
	return p.via.name() + " " + p.addr.String()
}

// Gone is closed when the peer's connection has ended. What has none, like UDP, is gone when the server is closed.
func (p Peer) Gone() <-chan struct{} {
	if p.via == nil {
		never := make(chan struct{})
		close(never)
		return never
	}
	return p.via.gone()
}

// Reply sends one message. Any goroutine may call it; it waits for nobody.
func (p Peer) Reply(address string, args ...any) error {
	b, err := Encode(address, args...)
	if err != nil {
		return err
	}
	if p.via == nil {
		return errNobody
	}
	s := p.via.server()
	s.replies.Add(1) // before it is sent: who has an answer finds it counted
	if err := p.via.send(p.addr, b); err != nil {
		s.replies.Add(^uint64(0))
		return fmt.Errorf("reply to %v: %w", p, err)
	}
	return nil
}

// Fail answers a message with /fail address reason, of which MaxReason bytes are sent. Any goroutine may call it. To
// other machines only failsPerSecond answers are sent, and nil is returned for the others: what asked may have been forged.
func (p Peer) Fail(address, reason string) error {
	if p.via == nil {
		return errNobody
	}
	s := p.via.server()
	s.refused.Add(1)
	if !p.Local() && !s.fails.pass(time.Now()) {
		return nil
	}
	return p.Reply("/fail", clip(address, MaxAddress), clip(reason, MaxReason))
}
