package osc

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// guest is a TCP connection that was let in, whatever it speaks.
type guest struct {
	net.Conn
	list    *guests
	from    netip.Addr
	first   []byte       // read before it was known what it speaks
	heardAt atomic.Int64 // Unix nanoseconds
	end     sync.Once
}

// Read implements net.Conn.
func (g *guest) Read(b []byte) (n int, err error) {
	if len(g.first) > 0 {
		n = copy(b, g.first)
		g.first = g.first[n:]
		return n, nil
	}
	if n, err = g.Conn.Read(b); n > 0 {
		g.heardAt.Store(time.Now().UnixNano())
	}
	return n, err
}

// Close implements net.Conn.
func (g *guest) Close() (err error) {
	g.end.Do(func() {
		g.list.leave(g)
		err = g.Conn.Close()
	})
	return err
}

// guests are those that are in: as many as there are places.
type guests struct {
	limits limits
	places *Places
	mu     sync.Mutex
	in     map[*guest]struct{}
	closed bool
}

func (l *guests) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.in)
}

// enter lets a connection in; if there is no place for it, in the place of the one that has been idle for the longest, if that
// is long enough and helps. Else it is nil.
func (l *guests) enter(c net.Conn, from netip.Addr) *guest {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	if !l.places.Take(from) {
		longest := l.longest(from)
		if longest == nil {
			return nil
		}
		l.forget(longest)
		go longest.Close() // it takes the lock
		l.places.Take(from)
	}
	g := &guest{Conn: c, list: l, from: from}
	g.heardAt.Store(time.Now().UnixNano())
	if l.in == nil {
		l.in = map[*guest]struct{}{}
	}
	l.in[g] = struct{}{}
	return g
}

// longest is the one that has been idle for the longest, and long enough, of those whose place is good for who comes from an address.
func (l *guests) longest(from netip.Addr) (longest *guest) {
	since := time.Now().Add(-l.limits.idle).UnixNano()
	for g := range l.in {
		if at := g.heardAt.Load(); at < since && l.places.Helps(g.from, from) {
			longest, since = g, at
		}
	}
	return longest
}

// forget frees a place, once.
func (l *guests) forget(g *guest) {
	if _, in := l.in[g]; in {
		delete(l.in, g)
		l.places.Free(g.from)
	}
}

func (l *guests) leave(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(g)
}

// begin counts one more goroutine in running, unless the end has begun: then it is false.
func (l *guests) begin(running *sync.WaitGroup) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	running.Add(1)
	return true
}

// close ends all, and lets no more in.
func (l *guests) close() {
	l.mu.Lock()
	l.closed = true
	var all []*guest
	for g := range l.in {
		all = append(all, g)
	}
	l.mu.Unlock()
	for _, g := range all {
		_ = g.Close()
	}
}
