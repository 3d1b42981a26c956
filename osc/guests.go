package osc

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// guest is a TCP connection that was let in, whatever it speaks.
type guest struct {
	net.Conn
	list    *guests
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

// guests are those that are in: at most limits.conns.
type guests struct {
	limits limits
	mu     sync.Mutex
	in     map[*guest]struct{}
	closed bool
}

func (l *guests) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.in)
}

// enter lets a connection in; if there are too many, in the place of the one that has been idle for the longest, if that
// is long enough. Else it is nil.
func (l *guests) enter(c net.Conn) *guest {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	if len(l.in) == l.limits.conns {
		longest, since := (*guest)(nil), time.Now().Add(-l.limits.idle).UnixNano()
		for g := range l.in {
			if at := g.heardAt.Load(); at < since {
				longest, since = g, at
			}
		}
		if longest == nil {
			return nil
		}
		delete(l.in, longest)
		go longest.Close() // it takes the lock
	}
	g := &guest{Conn: c, list: l}
	g.heardAt.Store(time.Now().UnixNano())
	if l.in == nil {
		l.in = map[*guest]struct{}{}
	}
	l.in[g] = struct{}{}
	return g
}

func (l *guests) leave(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.in, g)
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
