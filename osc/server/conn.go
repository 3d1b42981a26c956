package server

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// limits are the limits of connections, and the clock. Tests set others.
type limits struct {
	conns int           // open at a time
	idle  time.Duration // after which a new connection may replace an idle one
	first time.Duration // for the first byte, and for the rest of a packet that has begun
	now   func() time.Time
}

func standard() limits {
	return limits{conns: 64, idle: time.Minute, first: 10 * time.Second, now: time.Now}
}

// The limits of answers that wait to be sent.
const (
	maxQueued   = 2 << 20         // bytes
	pauseQueued = maxQueued / 8   // bytes above which reading pauses: one packet may cause a thousand answers
	writeWait   = 5 * time.Second // for the kernel to accept some bytes
)

// transport writes the packets of a connection.
type transport interface {
	write(packet []byte) error // waits at most writeWait
	flush() error
	close()
}

// conn is a connection that speaks OSC, and its queue of answers.
type conn struct {
	s      *Server
	addr   netip.AddrPort
	kind   string
	wire   transport
	mu     sync.Mutex
	out    [][]byte      // packets to be written
	more   chan struct{} // out is not empty
	queued atomic.Int64  // bytes in out, and being written
	ended  chan struct{}
	end    sync.Once
	token  atomic.Bool // the client has shown the token
}

func (s *Server) newConn(addr netip.AddrPort, kind string, wire transport) *conn {
	return &conn{s: s, addr: addr, kind: kind, wire: wire, more: make(chan struct{}, 1), ended: make(chan struct{})}
}

// close ends the connection. Any goroutine may call it, more than once.
func (c *conn) close() {
	c.end.Do(func() {
		close(c.ended)
		c.wire.close()
	})
}

var (
	errClosed = errors.New("connection closed")
	errSlow   = errors.New("client does not read replies: connection closed")
)

// send queues a packet. It never waits for the client: if the queue is full, it ends the
// connection.
func (c *conn) send(_ netip.AddrPort, packet []byte, _ bool) error {
	select {
	case <-c.ended:
		return errClosed
	default:
	}
	if c.queued.Add(int64(len(packet))) <= maxQueued {
		c.mu.Lock()
		c.out = append(c.out, packet)
		c.mu.Unlock()
		select {
		case c.more <- struct{}{}:
		default:
		}
		return nil
	}
	c.s.count(slowClients)
	c.close()
	return errSlow
}

func (c *conn) room(netip.AddrPort) int       { return osc.MaxPacket }
func (c *conn) trust(netip.AddrPort)          { c.token.Store(true) }
func (c *conn) trusted(a netip.AddrPort) bool { return a.Addr().IsLoopback() || c.token.Load() }
func (c *conn) done() <-chan struct{}         { return c.ended }
func (c *conn) name() string                  { return c.kind }
func (c *conn) server() *Server               { return c.s }

// run serves the connection until it ends.
func (c *conn) run(next func() ([]byte, error)) {
	var answering sync.WaitGroup
	answering.Go(c.writeLoop)
	c.readLoop(next)
	c.close()
	answering.Wait()
}

// writeLoop writes the queued packets until the connection ends.
func (c *conn) writeLoop() {
	var list [][]byte
	for {
		select {
		case <-c.ended:
			return
		case <-c.more:
		}
		c.mu.Lock()
		list, c.out = c.out, list[:0]
		c.mu.Unlock()
		if err := c.writeAll(list); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
				c.s.count(slowClients)
			}
			c.close()
			return
		}
		if clear(list); cap(list) > maxIdleList {
			list = nil
		}
	}
}

// maxIdleList is the capacity above which writeLoop drops its list of packets.
const maxIdleList = 1024

func (c *conn) writeAll(list [][]byte) error {
	for _, packet := range list {
		if err := c.wire.write(packet); err != nil {
			return err
		}
		c.queued.Add(-int64(len(packet)))
	}
	return c.wire.flush()
}

// readLoop passes packets to a handler until next fails or the server is closed. It stops reading
// while the source is above its rate, and while many answers wait: unread packets wait in the
// connection.
func (c *conn) readLoop(next func() ([]byte, error)) {
	from := Peer{c.addr, c}
	r := newReader(c.s, nil)
	r.dec.Most = osc.MaxStream
	session := uint64(0)
	for {
		packet, err := next()
		if err != nil {
			return
		}
		for {
			ok, wait, _ := c.s.streams.Admit(c.addr, 0, c.s.now())
			if ok && c.queued.Load() < pauseQueued {
				break
			}
			wait = max(wait, time.Millisecond)
			select {
			case <-c.ended:
				return
			case <-time.After(wait):
			}
		}
		if !r.handOver(packet, from, &session) {
			return
		}
	}
}
