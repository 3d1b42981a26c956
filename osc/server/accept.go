package server

import (
	"bufio"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/framing"
)

// acceptPause is the pause after a failed accept, mostly because too many files are open.
const acceptPause = 50 * time.Millisecond

// accept admits connections until the listener is closed.
func (s *Server) accept() {
	defer s.running.Done()
	for {
		c, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.count(readErrors)
			select {
			case <-s.closed:
				return
			case <-time.After(acceptPause):
			}
			continue
		}
		s.admit(c)
	}
}

// admit starts a goroutine for a connection, or closes the connection.
func (s *Server) admit(c net.Conn) {
	addr, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok || !s.access.Allows(addr.AddrPort().Addr().Unmap()) {
		s.count(denied)
		_ = c.Close()
		return
	}
	at := netip.AddrPortFrom(addr.AddrPort().Addr().Unmap(), addr.AddrPort().Port())
	setUserTimeout(c)
	g := s.enter(c, at)
	if g == nil || !s.running.begin() {
		s.count(rejected)
		if _ = c.Close(); g != nil {
			_ = g.Close()
		}
		return
	}
	go s.serveConn(g)
}

// userTimeout is the time after which the kernel ends a connection whose peer acknowledges nothing.
// The kernel's default is about a quarter of an hour.
const userTimeout = time.Minute

// tcpUserTimeout is TCP_USER_TIMEOUT, see tcp(7).
const tcpUserTimeout = 18

func setUserTimeout(c net.Conn) {
	tcp, ok := c.(syscall.Conn)
	if !ok {
		return // a pipe of a test
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return // closed
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(userTimeout.Milliseconds()))
	})
}

// serveConn detects the protocol of a connection, and serves it.
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
	if first[0] == 'G' { // of GET: neither a size nor a packet begins with it
		s.httpListener.deliver(g)
		return
	}
	kind, err := framing.Detect(first[0])
	if err != nil {
		s.countMalformed(osc.FaultFraming)
		_ = g.Close()
		return
	}
	in := &packetReader{g: g, wait: s.limits.first}
	out := &frameWriter{g: g, kind: kind, w: bufio.NewWriter(g)}
	s.newConn(g.from, "tcp", out).run(func() ([]byte, error) {
		packet, err := in.next()
		if err == framing.ErrTooLong {
			s.countMalformed(osc.FaultFraming)
		}
		return packet, err
	})
}

// packetReader reads packets from a connection.
type packetReader struct {
	g    *tcpConn
	u    framing.Unframer
	wait time.Duration
}

// next waits for a packet: for its first byte without limit, for its end at most wait.
func (s *packetReader) next() ([]byte, error) {
	waiting := false
	for {
		packet, err := s.u.Next()
		if packet != nil || err != nil {
			if waiting {
				_ = s.g.SetReadDeadline(time.Time{})
			}
			return packet, err
		}
		if s.u.Partial() && !waiting {
			waiting = true
			_ = s.g.SetReadDeadline(time.Now().Add(s.wait))
		}
		n, err := s.g.Read(s.u.Space())
		if s.u.Advance(n); n == 0 && err != nil {
			return nil, err
		}
	}
}

// frameWriter writes packets to a connection.
type frameWriter struct {
	g    *tcpConn
	kind framing.Kind
	w    *bufio.Writer
	b    []byte
}

func (f *frameWriter) write(packet []byte) error {
	_ = f.g.SetWriteDeadline(time.Now().Add(writeWait))
	f.b = framing.Append(f.b[:0], f.kind, packet)
	_, err := f.w.Write(f.b)
	return err
}

func (f *frameWriter) flush() error {
	_ = f.g.SetWriteDeadline(time.Now().Add(writeWait))
	return f.w.Flush()
}

func (f *frameWriter) close() { _ = f.g.Close() }
