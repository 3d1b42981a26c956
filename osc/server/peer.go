package server

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/music-chronus/chronus/osc"
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
	// send writes one packet, and never waits for a reader that is slow. If there is more to come it may wait for that, and for Server.Flush.
	send(to netip.AddrPort, packet []byte, more bool) error
	// room is how many bytes may be sent now to an address that may be forged.
	room(to netip.AddrPort) int
	// trust notes that the token was shown.
	trust(from netip.AddrPort)
	trusted(from netip.AddrPort) bool
	// gone is closed when nothing can be sent any more.
	gone() <-chan struct{}
	// name is the transport's.
	name() string
	server() *Server
}

// Local tells whether the peer is on this machine, by its loopback address.
func (p Peer) Local() bool { return p.addr.Addr().IsLoopback() }

// Trusted tells whether the peer may do more than play: it is on this machine, or has shown the token.
func (p Peer) Trusted() bool { return p.via != nil && p.via.trusted(p.addr) }

// Stream tells whether the peer came over a connection, in which what is not read waits, and not by UDP.
func (p Peer) Stream() bool { _, udp := p.via.(*udpLink); return p.via != nil && !udp }

// Addr is the address it sends from.
func (p Peer) Addr() netip.AddrPort { return p.addr }

// String is the transport and the address, like udp 127.0.0.1:49152.
func (p Peer) String() string {
	if p.via == nil {
		return "nobody"
	}
	return p.via.name() + " " + p.addr.String()
}

// Closed is closed when the peer's connection has ended. What has none, like UDP, is gone when the server is closed.
func (p Peer) Closed() <-chan struct{} {
	if p.via == nil {
		never := make(chan struct{})
		close(never)
		return never
	}
	return p.via.gone()
}

// Reply sends one message. Any goroutine may call it; it waits for nobody.
func (p Peer) Reply(address string, args ...any) error {
	b, err := osc.Encode(address, args...)
	if err != nil {
		return err
	}
	return p.send(address, b, false)
}

// Done answers a message with /done address, which may wait for others until Server.Flush: of the answers by the ten thousand a second that a
// flood asks for, this one is nearly all.
func (p Peer) Done(address string) error {
	b, err := osc.EncodeDone(address)
	if err != nil {
		return err
	}
	return p.send("/done", b, true)
}

func (p Peer) send(address string, packet []byte, more bool) error {
	if p.via == nil {
		return errNobody
	}
	s := p.via.server()
	s.replies.Add(1) // before it is sent: who has an answer finds it counted
	if err := p.via.send(p.addr, packet, more); err != nil {
		s.replies.Add(^uint64(0))
		if err == errWithheld && address != "/fail" {
			_ = p.fail(address, "too large for who may be forged: /auth, or TCP")
		}
		return fmt.Errorf("reply to %v: %w", p, err)
	}
	return nil
}

// Fail answers a message with /fail address reason, of which MaxReason bytes are sent. Any goroutine may call it. To
// other machines by UDP only failsPerSecond answers are sent, and nil is returned for the others: what asked may have been forged.
// By UDP to one that has not shown the token the reason is shortened so that no more goes out than amplify allows.
func (p Peer) Fail(address, reason string) error {
	if p.via == nil {
		return errNobody
	}
	s := p.via.server()
	s.refused.Add(1)
	if now := s.now(); s.quiet.has(p, now) || !p.Local() && !p.Stream() && !s.fails.Pass(now) {
		return nil
	}
	return p.fail(address, reason)
}

func (p Peer) fail(address, reason string) error {
	b, err := osc.EncodeFail(address, reason, p.via.room(p.addr))
	if err != nil {
		return err
	}
	return p.send("/fail", b, false)
}
