package server

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/music-chronus/chronus/osc/admission"
)

// tcpConn is an accepted TCP connection, before and after its protocol is known.
type tcpConn struct {
	net.Conn
	s     *Server
	entry *admission.Conn
	from  netip.AddrPort
	first []byte // read to find out the protocol, and not yet consumed
	ended chan struct{}
	end   sync.Once
}

// enter adds a connection to the table. It returns nil if the table has no place for it.
func (s *Server) enter(c net.Conn, from netip.AddrPort) *tcpConn {
	t := &tcpConn{Conn: c, s: s, from: from, ended: make(chan struct{})}
	t.entry = &admission.Conn{From: from.Addr(), End: func() { _ = t.Close() }}
	evicted, ok := s.conns.Enter(t.entry, s.now())
	if evicted != nil {
		evicted.End()
	}
	if !ok {
		return nil
	}
	return t
}

// Read implements net.Conn. Every byte is charged to the source, whatever it turns out to be. A
// source above its rate waits.
func (t *tcpConn) Read(b []byte) (n int, err error) {
	if len(t.first) > 0 {
		n = copy(b, t.first)
		t.first = t.first[n:]
		return n, nil
	}
	if !t.waitForTokens() {
		return 0, net.ErrClosed
	}
	if n, err = t.Conn.Read(b); n > 0 {
		t.entry.Touch(t.s.now())
		t.s.streams.Charge(t.from, admission.Cost(0, n))
	}
	return n, err
}

// Write implements net.Conn. A write counts as activity: a client that only receives notifications
// is not idle.
func (t *tcpConn) Write(b []byte) (n int, err error) {
	if n, err = t.Conn.Write(b); n > 0 {
		t.entry.Touch(t.s.now())
	}
	return n, err
}

// waitForTokens waits until the source may send more. It returns false if the connection has ended.
func (t *tcpConn) waitForTokens() bool {
	for {
		ok, wait, _ := t.s.streams.Admit(t.from, 0, t.s.now())
		if ok {
			return true
		}
		select {
		case <-t.ended:
			return false
		case <-time.After(wait):
		}
	}
}

// charge counts a ping or an HTTP request as one message: serving it costs as much.
func (t *tcpConn) charge() { t.s.streams.Charge(t.from, 1) }

// Close implements net.Conn.
func (t *tcpConn) Close() (err error) {
	t.end.Do(func() {
		close(t.ended)
		t.s.conns.Leave(t.entry)
		err = t.Conn.Close()
	})
	return err
}
