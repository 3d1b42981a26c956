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
	from    netip.AddrPort
	first   []byte       // read before it was known what it speaks
	heardAt atomic.Int64 // Unix nanoseconds
	ended   chan struct{}
	end     sync.Once
}

// Read implements net.Conn. Every byte counts, whatever it turns out to be; a source that sends too much is waited with.
func (g *guest) Read(b []byte) (n int, err error) {
	if len(g.first) > 0 {
		n = copy(b, g.first)
		g.first = g.first[n:]
		return n, nil
	}
	if !g.pace() {
		return 0, net.ErrClosed
	}
	if n, err = g.Conn.Read(b); n > 0 {
		g.heardAt.Store(time.Now().UnixNano())
		g.list.sources.charge(sourceKey(g.from), float64(n)/messageBytes)
	}
	return n, err
}

// Write implements net.Conn. Who is told something, and takes it, is not idle: after /notify a client may have no more to say.
func (g *guest) Write(b []byte) (n int, err error) {
	if n, err = g.Conn.Write(b); n > 0 {
		g.heardAt.Store(time.Now().UnixNano())
	}
	return n, err
}

// pace waits until the source may send more; it is false if the connection has ended.
func (g *guest) pace() bool {
	for {
		ok, wait, _ := g.list.sources.admit(sourceKey(g.from), 0, time.Now())
		if ok {
			return true
		}
		select {
		case <-g.ended:
			return false
		case <-time.After(wait):
		}
	}
}

// weigh counts what is no message and costs as much to take: a ping, a request by HTTP.
func (g *guest) weigh() { g.list.sources.charge(sourceKey(g.from), 1) }

// Close implements net.Conn.
func (g *guest) Close() (err error) {
	g.end.Do(func() {
		close(g.ended)
		g.list.leave(g)
		err = g.Conn.Close()
	})
	return err
}

// guests are those that are in: as many as there are places.
type guests struct {
	limits  limits
	places  *Quota
	sources *sources // apart from those by UDP: what is forged in the name of a machine does not hold up its connections
	mu      sync.Mutex
	in      map[*guest]struct{}
	closed  bool
}

func (l *guests) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.in)
}

// enter lets a connection in; if there is no place for it, in the place of the one that has been idle for the longest, if that
// is long enough and helps. Else it is nil.
func (l *guests) enter(c net.Conn, from netip.AddrPort) *guest {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	if !l.places.Acquire(from.Addr()) {
		longest := l.longest(from.Addr())
		if longest == nil {
			return nil
		}
		l.forget(longest)
		go longest.Close() // it takes the lock
		l.places.Acquire(from.Addr())
	}
	g := &guest{Conn: c, list: l, from: from, ended: make(chan struct{})}
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
		if at := g.heardAt.Load(); at < since && l.places.WouldHelp(g.from.Addr(), from) {
			longest, since = g, at
		}
	}
	return longest
}

// forget frees a place, once.
func (l *guests) forget(g *guest) {
	if _, in := l.in[g]; in {
		delete(l.in, g)
		l.places.Release(g.from.Addr())
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
