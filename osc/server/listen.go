package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"

	"github.com/music-chronus/chronus/osc/admission"
	"github.com/music-chronus/chronus/osc/internal/udp"
)

// readBuffer is the size in bytes of the kernel's receive buffer that Listen asks for, so that a
// burst survives a short stall. A smaller one will do.
const readBuffer = 4 << 20

// portTries is the number of ports that Listen tries until one is free for both UDP and TCP.
const portTries = 20

// Listen opens a UDP socket, and a TCP socket of the same port. The address is host:port. The host
// must be given; 0.0.0.0 or [::] stands for all addresses of this machine. Port 0 takes a free
// port, which Server.Addr returns. If other machines reach the host, access.Allow must list those
// that are heard.
func Listen(address string, access Access) (*Server, error) {
	return listenWith(address, access, standard())
}

func listenWith(address string, access Access, l limits) (*Server, error) {
	a, err := resolve(address)
	if err != nil {
		return nil, err
	}
	host, _ := netip.AddrFromSlice(a.IP)
	if err := access.check(host.Unmap()); err != nil {
		return nil, fmt.Errorf("OSC address %s: %w", address, err)
	}
	family := "6"
	if a.IP.To4() != nil {
		family = "4" // or 0.0.0.0 would listen on IPv6 too
	} else if a.IP.IsUnspecified() {
		family = ""
	}
	conn, listener, err := bind(family, a)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("OSC address %s: in use by another program; choose another with --osc", address)
	}
	if err != nil {
		return nil, fmt.Errorf("OSC address %s: %w; choose another with --osc", address, err)
	}
	bound := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	enlarge(conn)
	udp, err := udp.NewSocket(conn)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("OSC address %s: %w", address, err)
	}
	return newServer(udp, bound, listener, access, l), nil
}

// bind opens both sockets.
func bind(family string, a *net.UDPAddr) (conn *net.UDPConn, listener net.Listener, err error) {
	for range portTries {
		if conn, err = net.ListenUDP("udp"+family, a); err != nil {
			return nil, nil, err
		}
		port := conn.LocalAddr().(*net.UDPAddr).Port
		listener, err = net.ListenTCP("tcp"+family, &net.TCPAddr{IP: a.IP, Port: port, Zone: a.Zone})
		if err == nil {
			return conn, listener, nil
		}
		_ = conn.Close()
		if a.Port != 0 || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, nil, err
}

// newServer starts the goroutines that accept connections and send answers.
func newServer(conn *udp.Socket, bound netip.AddrPort, listener net.Listener, access Access, l limits) *Server {
	closed := make(chan struct{})
	s := &Server{
		conn: conn, batches: udp.NewBatch(conn), sendQueue: newSendQueue(), listener: listener,
		access: access, closed: closed, refusals: newRefusalLog(),
		limits: l, now: l.now, datagrams: admission.NewRateLimiter(), streams: admission.NewRateLimiter(),
		fails: admission.NewLimiter(failsPerSecond), conns: admission.NewConnTable(l.conns, l.idle),
		httpListener: httpListener{make(chan net.Conn), closed, listener.Addr()},
	}
	s.handoff.changed.L = &s.handoff.mu
	s.addr = netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port())
	if s.addr.Addr().IsUnspecified() {
		s.localAddrs = localAddrs()
	}
	s.http = s.newWeb()
	s.running.Add(2)
	go s.accept()
	go s.flushLoop()
	s.running.Go(func() { _ = s.http.Serve(s.httpListener) })
	s.running.Go(func() { s.refusals.run(closed) })
	return s
}

// enlarge asks for a receive buffer above the kernel's limit, which takes a privilege, or else up
// to it.
func enlarge(conn *net.UDPConn) {
	_ = conn.SetReadBuffer(readBuffer)
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, readBuffer)
		})
	}
}

// resolve returns the UDP address of host:port.
func resolve(address string) (*net.UDPAddr, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("OSC address %q: want host:port, like 127.0.0.1:5005", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, fmt.Errorf("OSC address %q: port must be a number from 0 to 65535", address)
	}
	if host == "" {
		return nil, fmt.Errorf("OSC address %q: missing host; use 127.0.0.1:%s for this machine alone, "+
			"0.0.0.0:%s for all machines that reach it", address, port, port)
	}
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, fmt.Errorf("OSC address %q: %w; the host must be an address of this machine", address, err)
	}
	return a, nil
}

// localAddrs returns the addresses of this machine. If it gets another one later, packets from the
// socket to itself by that address are answered, except /fail and /done.
func localAddrs() (list []netip.Addr) {
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr().Unmap())
		}
	}
	return list
}

// isOwn reports whether a packet comes from the server's own socket.
func (s *Server) isOwn(from netip.AddrPort) bool {
	switch {
	case from.Port() != s.addr.Port():
		return false
	case !s.addr.Addr().IsUnspecified():
		return from.Addr() == s.addr.Addr()
	}
	return from.Addr().IsLoopback() || slices.Contains(s.localAddrs, from.Addr().WithZone(""))
}
