package osc

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// readPause is how long Serve waits after a read that failed: a socket that fails for good must not take a core.
const readPause = time.Millisecond

// Server is a UDP socket with its decoder. Replies leave from the socket that the request came
// in on, so that they pass where it passed.
type Server struct {
	conn    *net.UDPConn
	self    netip.AddrPort
	local   []netip.Addr // this machine's, if the socket listens on all of them
	buf     []byte
	dec     Decoder
	fails   limiter
	counted [faults]atomic.Uint64
	packets atomic.Uint64
	served  atomic.Uint64
	refused atomic.Uint64
	replies atomic.Uint64
	unread  atomic.Uint64
	closed  chan struct{}
	end     sync.Once
}

// Stats counts what a Server has seen.
type Stats struct {
	Packets    uint64            `json:"packets"`
	Messages   uint64            `json:"messages"`
	Failed     uint64            `json:"failed"`      // messages answered with /fail
	Malformed  map[string]uint64 `json:"malformed"`   // elements that are no OSC, by what is wrong
	Replies    uint64            `json:"replies"`     // packets sent, /fail among them
	ReadErrors uint64            `json:"read_errors"` // reads that failed; the service went on
}

// Addr is where the server listens.
func (s *Server) Addr() netip.AddrPort { return s.self }

// Handler is given each message with its sender, in the order of arrival; the message is good until it returns.
type Handler func(m *Message, from Peer)

// Serve hands over what arrives, in the caller's goroutine, until ctx ends or the server is closed; then it returns
// nil. The socket stays open after ctx, so that it can be called again, and what arrives between is not lost; it must
// not be called twice at a time. Malformed packets are counted, answered with /fail, and forgotten.
func (s *Server) Serve(ctx context.Context, handle Handler) error {
	defer s.interruptible(ctx)()
	var from Peer
	visit := func(m *Message) {
		if string(m.Address) == "/fail" || string(m.Address) == "/done" {
			return // an answer: two that answered each other's would never end
		}
		s.served.Add(1)
		handle(m, from)
	}
	wrong := func(e *DecodeError) {
		s.counted[e.Fault].Add(1)
		s.failMalformed(from, e)
	}
	for ctx.Err() == nil {
		n, sender, err := s.conn.ReadFromUDPAddrPort(s.buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case ctx.Err() != nil && err != nil:
			return nil
		case err != nil:
			s.unread.Add(1)
			time.Sleep(readPause)
			continue
		}
		if sender = netip.AddrPortFrom(sender.Addr().Unmap(), sender.Port()); s.own(sender) {
			continue // our own reply, sent back: answering would never end
		}
		from = s.Peer(sender)
		s.packets.Add(1)
		s.dec.Decode(s.buf[:n], visit, wrong)
	}
	return nil
}

// interruptible lets the end of ctx end a read that waits. The function it returns undoes that; it waits for an
// interruption that has begun, which would otherwise end the reads of the next Serve.
func (s *Server) interruptible(ctx context.Context) (undo func()) {
	_ = s.conn.SetReadDeadline(time.Time{})
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = s.conn.SetReadDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-interrupted
		}
	}
}

// Peer is who is at a UDP address: for what is sent unasked, and for tests.
func (s *Server) Peer(at netip.AddrPort) Peer { return Peer{at, (*datagrams)(s)} }

// datagrams is the server's socket as a link.
type datagrams Server

func (d *datagrams) send(to netip.AddrPort, packet []byte) error {
	_, err := d.conn.WriteToUDPAddrPort(packet, to)
	return err
}

func (d *datagrams) gone() <-chan struct{} { return d.closed }
func (d *datagrams) name() string          { return "udp" }
func (d *datagrams) server() *Server       { return (*Server)(d) }

// failMalformed answers what is no OSC, of which no address is known; to this machine too no more than failsPerSecond
// times, for such packets come in floods or not at all.
func (s *Server) failMalformed(to Peer, e *DecodeError) {
	if s.fails.pass(time.Now()) {
		_ = to.Reply("/fail", "", e.Error())
	}
}

// Stats are the counts so far. They are read one after the other while the server counts on.
func (s *Server) Stats() Stats {
	st := Stats{
		Packets: s.packets.Load(), Messages: s.served.Load(), Failed: s.refused.Load(), Malformed: map[string]uint64{},
		Replies: s.replies.Load(), ReadErrors: s.unread.Load(),
	}
	for f := range s.counted {
		if n := s.counted[f].Load(); n > 0 {
			st.Malformed[Fault(f).String()] = n
		}
	}
	return st
}

// Close closes the socket. Serve returns nil, now and later.
func (s *Server) Close() error {
	s.end.Do(func() { close(s.closed) })
	return s.conn.Close()
}
