package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/admission"
)

// readPause is how long Serve waits after a read that failed: a socket that fails for good must not take a core.
const readPause = time.Millisecond

// Server is a UDP socket and a TCP socket of the same port, which takes OSC in either framing, and WebSockets. Replies
// leave from where the request came in, so that they pass where it passed.
type Server struct {
	conn      *socket
	listener  net.Listener
	self      netip.AddrPort
	local     []netip.Addr // this machine's, if the socket listens on all of them
	access    Access
	in        *intray
	limits    limits
	now       func() time.Time
	datagrams *admission.RateLimiter
	streams   *admission.RateLimiter // apart from UDP, where addresses may be forged
	fails     *admission.Limiter
	auth      struct{ udp, stream admission.AuthThrottle } // apart for the same reason
	hatch     hatch
	conns     *admission.ConnTable
	quiet     quiet
	web       *http.Server
	webConns  webConns // those that speak HTTP, on their way to web
	outbox    outbox
	closed    chan struct{}
	end       sync.Once
	running   tasks

	counted  [osc.NumFaults]atomic.Uint64
	packets  atomic.Uint64
	served   atomic.Uint64
	refused  atomic.Uint64
	replies  atomic.Uint64
	unread   atomic.Uint64
	strange  atomic.Uint64
	shed     atomic.Uint64
	withheld atomic.Uint64
	slow     atomic.Uint64
	turned   atomic.Uint64
	unsent   atomic.Uint64
}

// Addr is where the server listens.
func (s *Server) Addr() netip.AddrPort { return s.self }

// Serve hands over what arrives to handlers that open makes, until ctx ends or the server is closed; then it returns
// nil, and no handler runs any more. Sockets and connections stay open after ctx, so that it can be called again, and
// what arrives between is not lost; it must not be called twice at a time. What comes by UDP is handled in the caller's
// goroutine. A handler's panic becomes one of Serve, whichever goroutine it was in. Malformed packets are counted,
// answered with /fail, and forgotten.
func (s *Server) Serve(ctx context.Context, open func() Handler) error {
	defer s.interruptible(ctx)()
	s.hatch.opens(open, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer s.hatch.shuts()
	r := newReader(s, open())
	var rate flood
	for ctx.Err() == nil && !s.isClosed() {
		err := s.in.fill()
		if v := s.hatch.fallen(); v != nil {
			panic(v)
		}
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
		s.gathered(ctx, r)
		if rate.rises(s.in.n, time.Now()) && s.in.n < gathered {
			pause(floodPause)
		}
	}
	return nil
}

// gathered handles what one read has brought. What is left when ctx ends, or when a handler panics, is for the next Serve.
func (s *Server) gathered(ctx context.Context, r *reader) {
	defer r.handler.Flush() // should one panic too: what was taken before it goes on
	for ctx.Err() == nil && !s.isClosed() {
		packet, sender, waited, ok := s.in.take()
		if !ok {
			return
		}
		r.waited = waited
		s.datagram(r, packet, sender)
	}
}

// isClosed tells whether the end has begun: what was read before may still be there.
func (s *Server) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// datagram handles one, or drops it.
func (s *Server) datagram(r *reader, packet []byte, sender netip.AddrPort) {
	switch {
	case s.own(sender): // our own reply, sent back: answering would never end
	case !s.access.Allows(sender.Addr()):
		s.strange.Add(1)
	default:
		ok, _, tell := s.datagrams.Admit(sender, len(packet), s.now())
		if ok {
			r.packet(packet, s.Peer(sender))
			return
		}
		s.shed.Add(1)
		if tell {
			_ = s.Peer(sender).Fail("", "too many messages: what is above "+rateText(sender)+" a second is dropped")
		}
	}
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
func (s *Server) Peer(at netip.AddrPort) Peer { return Peer{at, (*udpLink)(s)} }

// udpLink is the server's socket as a link.
type udpLink Server

func (d *udpLink) send(to netip.AddrPort, packet []byte, more bool) error {
	if !d.datagrams.Spend(to, len(packet), d.now()) {
		d.withheld.Add(1)
		return errWithheld
	}
	if (*Server)(d).isClosed() {
		return net.ErrClosed
	}
	if !d.outbox.put(letter{to, packet}, more) {
		d.unsent.Add(1)
		return errUnsent
	}
	return nil
}

var errUnsent = errors.New("the network takes answers too slowly")

var errWithheld = errors.New("more than its address, which may be forged, has sent for: it must show the token, or come by TCP")

func (d *udpLink) room(to netip.AddrPort) int       { return d.datagrams.Room(to, d.now()) }
func (d *udpLink) trust(from netip.AddrPort)        { d.datagrams.Trust(from, d.now()) }
func (d *udpLink) trusted(from netip.AddrPort) bool { return d.datagrams.Trusted(from, d.now()) }
func (d *udpLink) gone() <-chan struct{}            { return d.closed }
func (d *udpLink) name() string                     { return "udp" }
func (d *udpLink) server() *Server                  { return (*Server)(d) }

// failMalformed answers what is no OSC, of which no address is known; to this machine too no more than failsPerSecond
// times, for such packets come in floods or not at all.
func (s *Server) failMalformed(to Peer, e *osc.DecodeError) {
	if s.fails.Pass(s.now()) {
		_ = to.fail("", e.Error())
	}
}

// Stats are the counts so far. They are read one after the other while the server counts on.
func (s *Server) Stats() osc.Stats {
	st := osc.Stats{
		Packets: s.packets.Load(), Messages: s.served.Load(), Failed: s.refused.Load(), Malformed: map[string]uint64{},
		Replies: s.replies.Load(), ReadErrors: s.unread.Load(), Denied: s.strange.Load(), Shed: s.shed.Load(),
		AmplificationLimited: s.withheld.Load(), Connections: s.conns.Len(), Rejected: s.turned.Load(), SlowClients: s.slow.Load(), SendDropped: s.unsent.Load(),
	}
	for f := range s.counted {
		if n := s.counted[f].Load(); n > 0 {
			st.Malformed[osc.Fault(f).String()] = n
		}
	}
	return st
}

// Close closes the sockets and all connections, and waits for what served them. Serve returns nil, now and later.
func (s *Server) Close() error {
	s.end.Do(func() { close(s.closed) })
	err := s.conn.Close()
	_ = s.listener.Close()
	s.hatch.close()
	s.running.close()
	for _, c := range s.conns.Close() {
		c.End()
	}
	_ = s.web.Close()
	s.running.Wait()
	return err
}

// failsPerSecond bounds the answers that a forged sender can have sent to somebody: 200 a second of
// at most 572 bytes are 115 kB/s.
const failsPerSecond = 200

// rateText describes the rate of a source.
func rateText(from netip.AddrPort) string {
	rate, _ := admission.RateOf(from)
	return fmt.Sprintf("%.0f messages, or %.0f bytes,", rate, rate*admission.MessageBytes)
}

// account charges a packet to its sender. A connection has paid for the bytes already.
func (s *Server) account(from Peer, messages, bytes int) {
	cost := admission.Cost(max(messages, 1), bytes)
	if from.Stream() {
		s.streams.Charge(from.addr, cost-admission.Cost(0, bytes))
		return
	}
	s.datagrams.Charge(from.addr, cost)
}

// tasks counts the goroutines of the connections. After close, no more may begin: a WaitGroup must
// not grow while Close waits for it.
type tasks struct {
	sync.WaitGroup
	mu     sync.Mutex
	closed bool
}

// begin adds a goroutine, unless the server is closing. Done must follow.
func (t *tasks) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.Add(1)
	return true
}

func (t *tasks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}
