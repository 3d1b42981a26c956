package server

import (
	"bufio"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// acceptPause is how long no connection is taken after one could not be: too many files are open, mostly.
const acceptPause = 50 * time.Millisecond

// accept lets connections in until the listener is closed.
func (s *Server) accept() {
	defer s.running.Done()
	for {
		c, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.unread.Add(1)
			select {
			case <-s.closed:
				return
			case <-time.After(acceptPause):
			}
			continue
		}
		s.receive(c)
	}
}

// receive gives a connection a goroutine of its own, or turns it away.
func (s *Server) receive(c net.Conn) {
	addr, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok || !s.access.Allows(addr.AddrPort().Addr().Unmap()) {
		s.strange.Add(1)
		_ = c.Close()
		return
	}
	at := netip.AddrPortFrom(addr.AddrPort().Addr().Unmap(), addr.AddrPort().Port())
	setUserTimeout(c)
	g := s.enter(c, at)
	if g == nil || !s.running.begin() {
		s.turned.Add(1)
		if _ = c.Close(); g != nil {
			_ = g.Close()
		}
		return
	}
	go s.serveConn(g)
}

// userTimeout is after how long the kernel ends a connection whose other end takes nothing any more, not even for the kernel there: by itself it tries for a
// quarter of an hour.
const userTimeout = time.Minute

// tcpUserTimeout is TCP_USER_TIMEOUT, see tcp(7).
const tcpUserTimeout = 18

func setUserTimeout(c net.Conn) {
	tcp, ok := c.(syscall.Conn)
	if !ok {
		return // of a test
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return // it is closed
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(userTimeout.Milliseconds()))
	})
}

// serveConn finds out what a connection speaks, and has it served.
func (s *Server) serveConn(g *tcpConn) {
	defer s.running.Done()
	first := make([]byte, 1)
	_ = g.SetReadDeadline(time.Now().Add(s.limits.first))
	if _, err := g.Read(first); err != nil {
		_ = g.Close()
		return
	}
	g.first = first
	_ = g.SetReadDeadline(time.Time{})
	if first[0] == 'G' { // of GET: no size and no packet begins so
		s.webConns.hand(g)
		return
	}
	kind, err := framingOf(first[0])
	if err != nil {
		s.counted[osc.FaultFraming].Add(1)
		_ = g.Close()
		return
	}
	in := &stream{g: g, wait: s.limits.first}
	out := &frames{g: g, kind: kind, w: bufio.NewWriter(g)}
	s.newConn(g.from, "tcp", out).run(func() ([]byte, error) {
		packet, err := in.next()
		if err == errTooLong {
			s.counted[osc.FaultFraming].Add(1)
		}
		return packet, err
	})
}

// stream reads packets from a connection.
type stream struct {
	g    *tcpConn
	u    unframer
	wait time.Duration // for the end of a packet
}

// next waits for a packet: for its beginning as long as it takes, for its end not.
func (s *stream) next() ([]byte, error) {
	waiting := false
	for {
		packet, err := s.u.next()
		if packet != nil || err != nil {
			if waiting {
				_ = s.g.SetReadDeadline(time.Time{})
			}
			return packet, err
		}
		if s.u.partial() && !waiting {
			waiting = true
			_ = s.g.SetReadDeadline(time.Now().Add(s.wait))
		}
		n, err := s.g.Read(s.u.space())
		if s.u.came(n); n == 0 && err != nil {
			return nil, err
		}
	}
}

// frames writes packets to a connection.
type frames struct {
	g    *tcpConn
	kind framing
	w    *bufio.Writer
	b    []byte
}

func (f *frames) write(packet []byte) error {
	_ = f.g.SetWriteDeadline(time.Now().Add(writeWait))
	f.b = appendFrame(f.b[:0], f.kind, packet)
	_, err := f.w.Write(f.b)
	return err
}

func (f *frames) flush() error {
	_ = f.g.SetWriteDeadline(time.Now().Add(writeWait))
	return f.w.Flush()
}

func (f *frames) close() { _ = f.g.Close() }
