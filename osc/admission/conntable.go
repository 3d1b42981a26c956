package admission

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// ConnTable lists the open connections of a server. Each connection holds a place of a Quota.
// Any number of goroutines may use it.
type ConnTable struct {
	quota  *Quota
	idle   time.Duration
	mu     sync.Mutex
	open   map[*Conn]struct{}
	closed bool
}

// Conn is a connection that may enter a ConnTable, once.
type Conn struct {
	From netip.Addr
	// End closes the connection. The table never calls it: callers call it on the connections that
	// Enter and Close return.
	End     func()
	heardAt atomic.Int64 // Unix nanoseconds
}

// NewConnTable returns a table of at most most connections. A connection that was idle for longer
// than idle may be replaced by a new one.
func NewConnTable(most int, idle time.Duration) *ConnTable {
	return &ConnTable{quota: NewQuota(most), idle: idle, open: map[*Conn]struct{}{}}
}

// Touch records activity of the connection, in either direction.
func (c *Conn) Touch(now time.Time) { c.heardAt.Store(now.UnixNano()) }

// Len is the number of open connections.
func (t *ConnTable) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

// Enter adds a connection. If the quota has no place, it takes the place of the connection that was
// idle for the longest, and returns that connection as evicted: the caller must end it. Enter
// returns false if there is no such connection, or if the table is closed.
func (t *ConnTable) Enter(c *Conn, now time.Time) (evicted *Conn, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, false
	}
	if !t.quota.Acquire(c.From) {
		if evicted = t.longestIdle(c.From, now); evicted == nil {
			return nil, false
		}
		t.remove(evicted)
		t.quota.Acquire(c.From)
	}
	c.Touch(now)
	t.open[c] = struct{}{}
	return evicted, true
}

// longestIdle finds the connection that was idle for the longest, and whose place helps from.
func (t *ConnTable) longestIdle(from netip.Addr, now time.Time) (longest *Conn) {
	since := now.Add(-t.idle).UnixNano()
	for c := range t.open {
		if at := c.heardAt.Load(); at < since && t.quota.WouldHelp(c.From, from) {
			longest, since = c, at
		}
	}
	return longest
}

// remove releases the connection's place. A second call does nothing.
func (t *ConnTable) remove(c *Conn) {
	if _, open := t.open[c]; open {
		delete(t.open, c)
		t.quota.Release(c.From)
	}
}

// Leave removes a connection. It may be called more than once.
func (t *ConnTable) Leave(c *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(c)
}

// Close makes Enter refuse every connection from now on. It returns the open connections, which the
// caller must end.
func (t *ConnTable) Close() (open []*Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for c := range t.open {
		open = append(open, c)
	}
	return open
}
