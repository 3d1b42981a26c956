package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/admission"
	"github.com/music-chronus/chronus/osc/internal/udp"
)

// readPause is the pause of Serve after a failed read: a broken socket must not occupy a core.
const readPause = time.Millisecond

// failsPerSecond bounds the /fail answers that senders with forged addresses can cause: 200 a
// second of at most 572 bytes are 115 kB/s.
const failsPerSecond = 200

// Server receives OSC on a UDP socket and on a TCP socket of the same port. TCP connections speak
// either framing of OSC, or WebSocket. Answers leave from the address that the request came to.
type Server struct {
	conn       *udp.Socket
	listener   net.Listener
	addr       netip.AddrPort
	localAddrs []netip.Addr // this machine's, if the socket listens on all of them
	access     Access
	limits     limits
	now        func() time.Time
	batches    *udp.Batch
	datagrams  *admission.RateLimiter
	streams    *admission.RateLimiter // apart from UDP, where addresses may be forged
	fails      *admission.Limiter
	auth       struct{ udp, stream admission.AuthThrottle } // apart for the same reason
	conns      *admission.ConnTable
	handoff    handoff
	errorMute  errorMute
	sendQueue  sendQueue
	refusals   *refusalLog

	http         *http.Server
	httpListener httpListener // passes accepted connections that speak HTTP to http

	observer  atomic.Pointer[func(Answer)]
	closed    chan struct{}
	closeOnce sync.Once
	running   tasks
	counters  counters
}

// Addr is the address that the server listens on.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// SetLogger makes the server log each refusal at slog.LevelDebug, at most 20 a second.
func (s *Server) SetLogger(l *slog.Logger) { s.refusals.logger.Store(l) }

// Serve passes messages to handlers that open makes, until ctx ends or the server is closed. Then
// it returns nil, and no handler runs any more.
//
// UDP messages are handled in the caller's goroutine, those of each connection in a goroutine of
// its own. If a handler panics, Serve panics with the same value. After ctx has ended, sockets and
// connections stay open: a later Serve handles what arrived in between. Two calls must not overlap.
// Malformed packets are counted and answered with /fail.
func (s *Server) Serve(ctx context.Context, open func() Handler) error {
	defer s.interruptible(ctx)()
	s.handoff.resume(open, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer s.handoff.pause()
	r := newReader(s, open())
	for ctx.Err() == nil && !s.isClosed() {
		err := s.batches.Wait()
		if v := s.handoff.panicked(); v != nil {
			panic(v)
		}
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case ctx.Err() != nil && err != nil:
			return nil
		case err != nil:
			s.count(readErrors)
			time.Sleep(readPause)
			continue
		}
		s.handleBatch(ctx, r)
		s.batches.Accumulate()
	}
	return nil
}

// handleBatch handles the datagrams of one read. If ctx ends or a handler panics, the next Serve
// handles the rest.
func (s *Server) handleBatch(ctx context.Context, r *reader) {
	defer r.handler.Flush() // after a panic too: earlier messages of the batch take effect
	for ctx.Err() == nil && !s.isClosed() {
		packet, sender, waited, ok := s.batches.Next()
		if !ok {
			return
		}
		r.waited = waited
		s.handleDatagram(r, packet, sender)
	}
}

// isClosed reports whether Close was called: datagrams that were read before must not be handled.
func (s *Server) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

func (s *Server) handleDatagram(r *reader, packet []byte, sender netip.AddrPort) {
	switch {
	case s.isOwn(sender): // an answer of ours, sent back: answering it would never end
	case !s.access.Allows(sender.Addr()):
		s.count(denied)
	default:
		ok, _, notify := s.datagrams.Admit(sender, len(packet), s.now())
		if ok {
			r.packet(packet, s.Peer(sender))
			return
		}
		s.count(shed)
		if notify {
			rate, _ := admission.RateOf(sender)
			_ = s.Peer(sender).Fail("", osc.Refuse(osc.CodeRateLimited,
				"too many messages: packets above %.0f messages, or %.0f bytes, a second are dropped",
				rate, rate*admission.MessageBytes))
		}
	}
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

// interruptible makes the end of ctx interrupt a waiting read. The returned function undoes that.
// It waits for an interruption that has begun, which would otherwise end the reads of the next
// Serve.
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

// Peer returns the peer at a UDP address, for messages that answer no request.
func (s *Server) Peer(at netip.AddrPort) Peer { return Peer{at, (*udpLink)(s)} }

// udpLink is the server's UDP socket as a link.
type udpLink Server

func (d *udpLink) send(to netip.AddrPort, packet []byte, more bool) error {
	s := (*Server)(d)
	if !s.datagrams.Spend(to, len(packet), s.now()) {
		s.count(amplificationLimited)
		return errAmplification
	}
	if s.isClosed() {
		return net.ErrClosed
	}
	if !s.sendQueue.put(datagram{to, packet}, more) {
		s.count(sendDropped)
		return errSendQueue
	}
	return nil
}

var (
	errSendQueue     = fmt.Errorf("network too slow: %d answers are waiting", maxWaiting)
	errAmplification = errors.New("answer too large for an address that may be forged: use /auth or TCP")
)

func (d *udpLink) room(to netip.AddrPort) int       { return d.datagrams.Room(to, d.now()) }
func (d *udpLink) trust(from netip.AddrPort)        { d.datagrams.Trust(from, d.now()) }
func (d *udpLink) trusted(from netip.AddrPort) bool { return d.datagrams.Trusted(from, d.now()) }
func (d *udpLink) done() <-chan struct{}            { return d.closed }
func (d *udpLink) name() string                     { return "udp" }
func (d *udpLink) server() *Server                  { return (*Server)(d) }

// Close closes the sockets and all connections, and waits for their goroutines. A Serve that runs,
// and each later one, returns nil.
func (s *Server) Close() error {
	s.closeOnce.Do(func() { close(s.closed) })
	err := s.conn.Close()
	_ = s.listener.Close()
	s.handoff.close()
	s.running.close()
	for _, c := range s.conns.Close() {
		c.End()
	}
	_ = s.http.Close()
	s.running.Wait()
	return err
}

// tasks counts the goroutines of a server. After close, no more may begin: a WaitGroup must not
// grow while Close waits for it.
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
