package server

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/music-chronus/chronus/osc"
)

// Peer is the sender of a request, over any transport. Answers leave the way the request came.
// Peers are compared with == and may be map keys: all requests of one UDP address, or of one
// connection, have the same Peer. The zero Peer is invalid.
type Peer struct {
	addr netip.AddrPort
	via  link
}

var errInvalidPeer = errors.New("reply: invalid peer: use the Peer that a Server passed to a Handler")

// link is the way to a peer.
type link interface {
	// send queues one packet, and never waits for a slow reader. If more packets follow, the packet
	// may wait for them, until Server.Flush.
	send(to netip.AddrPort, packet []byte, more bool) error
	// room is the number of bytes that may be sent now, if the address may be forged.
	room(to netip.AddrPort) int
	// trust records that the peer has shown the token.
	trust(from netip.AddrPort)
	trusted(from netip.AddrPort) bool
	// done is closed when nothing can be sent any more.
	done() <-chan struct{}
	// name is the transport's name.
	name() string
	server() *Server
}

// Local reports whether the peer has a loopback address of this machine.
func (p Peer) Local() bool { return p.addr.Addr().IsLoopback() }

// Trusted reports whether the peer may use addresses that require the token: it is on this machine,
// or has shown the token.
func (p Peer) Trusted() bool { return p.via != nil && p.via.trusted(p.addr) }

// Stream reports whether the peer has a connection: unread packets wait in it. UDP has none.
func (p Peer) Stream() bool { _, udp := p.via.(*udpLink); return p.via != nil && !udp }

// Addr is the address that the peer sends from.
func (p Peer) Addr() netip.AddrPort { return p.addr }

// String is the transport and the address, like udp 127.0.0.1:49152.
func (p Peer) String() string {
	if p.via == nil {
		return "invalid peer"
	}
	return p.via.name() + " " + p.addr.String()
}

// Closed returns a channel that is closed when the peer's connection has ended, and for UDP when
// the server is closed.
func (p Peer) Closed() <-chan struct{} {
	if p.via == nil {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	return p.via.done()
}

// Reply sends one message. Any goroutine may call it. It never waits for the peer.
func (p Peer) Reply(address string, args ...any) error {
	b, err := osc.Encode(address, args...)
	if err != nil {
		return err
	}
	return p.send(address, b, false)
}

// Done answers a message with /done address. The answer may wait for more answers until
// Server.Flush: of the many thousand answers a second that a flood causes, nearly all are /done.
func (p Peer) Done(address string) error {
	b, err := osc.EncodeDone(address)
	if err != nil {
		return err
	}
	return p.send("/done", b, true)
}

func (p Peer) send(address string, packet []byte, more bool) error {
	if p.via == nil {
		return errInvalidPeer
	}
	s := p.via.server()
	s.count(replies) // before sending: a client that has an answer finds it counted
	err := p.via.send(p.addr, packet, more)
	s.observe(p, packet, err)
	if err == nil {
		return nil
	}
	s.counters.total[replies].Add(^uint64(0))
	if err == errAmplification && address != "/fail" {
		_ = s.refuse(p, osc.RefusalOf(address, errTooLarge), nil)
	}
	return fmt.Errorf("reply to %v: %w", p, err)
}

// errTooLarge is short, since the room for it is small.
var errTooLarge = osc.Refuse(osc.CodeTooLarge, "reply too large by UDP: use /auth or TCP")

// Fail answers a message with /fail address reason, and counts it by the code of the osc.Refusal
// that err wraps. The reason is the text of err, of at most osc.MaxReason bytes. Any goroutine may
// call it.
//
// Fail sends at most failsPerSecond answers over UDP to other machines, whose requests may be
// forged, and returns nil for the others. Until such a machine has shown the token, the reason is
// shortened so that the answers stay below admission.Amplification times its requests.
func (p Peer) Fail(address string, err error) error {
	if p.via == nil {
		return errInvalidPeer
	}
	s, withheld := p.via.server(), error(nil)
	s.count(failed)
	switch now := s.now(); {
	case s.errorMute.mutes(p, now):
		withheld = errMuted
	case !p.Local() && !p.Stream() && !s.fails.Pass(now):
		withheld = errFailLimit
	}
	return s.refuse(p, osc.RefusalOf(address, err), withheld)
}

func (p Peer) sendFail(r *osc.Refusal) error {
	b, err := osc.EncodeFail(r.Address, r.Reason, p.via.room(p.addr))
	if err != nil {
		return err
	}
	return p.send("/fail", b, false)
}
