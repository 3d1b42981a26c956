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

// limits are those of connections. They are no constants so that a test need not wait for them.
type limits struct {
	conns int           // at a time
	idle  time.Duration // one that has been idle for so long may have to make room
	first time.Duration // for the first byte, and for the rest of a packet that has begun
	now   func() time.Time
}

func standard() limits {
	return limits{conns: 64, idle: time.Minute, first: 10 * time.Second, now: time.Now}
}

// The limits of answers.
const (
	maxQueued  = 2 << 20         // bytes that wait to be read
	manyQueued = maxQueued / 8   // from so many on, its sender is not listened to: one packet may be worth a thousand answers
	writeWait  = 5 * time.Second // for the kernel to take some
)

// transport is what a connection's packets are written to.
type transport interface {
	write(packet []byte) error // waits no longer than writeWait
	flush() error
	close()
}

// conn is a connection with its answers.
type conn struct {
	s      *Server
	addr   netip.AddrPort
	kind   string
	wire   transport
	mu     sync.Mutex
	out    [][]byte      // to be written
	more   chan struct{} // there is something in out
	queued atomic.Int64  // bytes that wait
	ended  chan struct{}
	end    sync.Once
	token  atomic.Bool // it has shown the token
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
	errGone = errors.New("its connection has ended")
	errSlow = errors.New("it does not read its answers")
)

// send puts a packet in the queue. Who does not read it is not waited for: its connection ends.
func (c *conn) send(_ netip.AddrPort, packet []byte, _ bool) error {
	select {
	case <-c.ended:
		return errGone
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
	c.s.slow.Add(1)
	c.close()
	return errSlow
}

func (c *conn) room(netip.AddrPort) int       { return osc.MaxPacket }
func (c *conn) trust(netip.AddrPort)          { c.token.Store(true) }
func (c *conn) trusted(a netip.AddrPort) bool { return a.Addr().IsLoopback() || c.token.Load() }
func (c *conn) gone() <-chan struct{}         { return c.ended }
func (c *conn) name() string                  { return c.kind }
func (c *conn) server() *Server               { return c.s }

// run serves the connection until it ends, one way or the other.
func (c *conn) run(next func() ([]byte, error)) {
	var answering sync.WaitGroup
	answering.Go(c.answer)
	c.listen(next)
	c.close()
	answering.Wait()
}

// answer writes what is queued, until the connection ends.
func (c *conn) answer() {
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
		if err := c.post(list); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
				c.s.slow.Add(1)
			}
			c.close()
			return
		}
		if clear(list); cap(list) > keepAnswers {
			list = nil
		}
	}
}

// keepAnswers is how long a list of answers may stay when there are none.
const keepAnswers = 1024

// post writes packets.
func (c *conn) post(list [][]byte) error {
	for _, packet := range list {
		if err := c.wire.write(packet); err != nil {
			return err
		}
		c.queued.Add(-int64(len(packet)))
	}
	return c.wire.flush()
}

// listen hands over what next reads, until that fails or the server is closed. A source that sends too much is read more slowly:
// what it sends waits in its own connection. So does what comes from one that has many answers to read.
func (c *conn) listen(next func() ([]byte, error)) {
	from := Peer{c.addr, c}
	r := newReader(c.s, nil)
	r.dec.Most = osc.MaxStream
	turn := uint64(0)
	for {
		packet, err := next()
		if err != nil {
			return
		}
		for {
			ok, wait, _ := c.s.streams.Admit(c.addr, 0, c.s.now())
			if ok && c.queued.Load() < manyQueued {
				break
			}
			wait = max(wait, time.Millisecond)
			select {
			case <-c.ended:
				return
			case <-time.After(wait):
			}
		}
		if !r.handOver(packet, from, &turn) {
			return
		}
	}
}
