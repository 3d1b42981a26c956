package server

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// A client that only receives notifications is not idle. The kernel ends the connection of a client
// that has vanished.
func TestWriteCountsAsActivity(t *testing.T) {
	var c clock
	l := standard()
	l.conns, l.now = 1, c.now
	s := serveWith(t, "127.0.0.1:0", Access{}, l, echo)
	ours, theirs := net.Pipe()
	defer theirs.Close()
	g := s.enter(pipe{ours, net.TCPAddrFromAddrPort(near)}, near)
	defer g.Close()
	go func() { _, _ = theirs.Read(make([]byte, 1)) }()
	c.advance(2 * l.idle)
	if _, err := g.Write([]byte{0xc0}); err != nil {
		t.Fatal(err)
	}
	other, end := net.Pipe()
	defer end.Close()
	if s.enter(other, near) != nil {
		t.Error("a connection that was just written to made room as idle")
	}
	c.advance(2 * l.idle)
	if in := s.enter(other, near); in == nil {
		t.Error("an idle connection made no room")
	} else {
		_ = in.Close()
	}
	real := dialTCP(t, s)
	setUserTimeout(real)
	raw, err := real.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		if ms, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout); err != nil || time.Duration(ms)*time.Millisecond != userTimeout {
			t.Errorf("the kernel tries for %d ms: %v", ms, err)
		}
	})
}
