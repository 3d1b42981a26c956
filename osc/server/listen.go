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
)

// readBuffer is what Listen asks of the kernel, in bytes: a burst outlives a short stall. Less is bearable.
const readBuffer = 4 << 20

// portTries is how many ports are looked at for one that is free for UDP and TCP both.
const portTries = 20

// Listen opens the sockets: UDP, and TCP of the same port. address is host:port; the host must be named, 0.0.0.0 or [::]
// for all of this machine's addresses. Port 0 takes a free one, which Addr tells. If other machines reach the host, access
// must say which of them are heard.
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
		family = "4" // else 0.0.0.0 would take IPv6 in too
	} else if a.IP.IsUnspecified() {
		family = ""
	}
	conn, listener, err := bind(family, a)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("OSC address %s is in use by another program: choose another with --osc", address)
	}
	if err != nil {
		return nil, fmt.Errorf("OSC address %s: %w: choose another with --osc", address, err)
	}
	bound := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	enlarge(conn)
	udp, err := newSocket(conn)
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

// newServer begins to take connections.
func newServer(conn *socket, bound netip.AddrPort, listener net.Listener, access Access, l limits) *Server {
	closed := make(chan struct{})
	s := &Server{
		conn: conn, in: newIntray(conn), listener: listener, access: access, closed: closed, outbox: newOutbox(),
		limits: l, now: l.now, datagrams: admission.NewRateLimiter(), streams: admission.NewRateLimiter(),
		fails: admission.NewLimiter(failsPerSecond), conns: admission.NewConnTable(l.conns, l.idle),
		webConns: webConns{make(chan net.Conn), closed, listener.Addr()},
	}
	s.hatch.changed.L = &s.hatch.mu
	s.self = netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port())
	if s.self.Addr().IsUnspecified() {
		s.local = localAddrs()
	}
	s.web = s.newWeb()
	s.running.Add(2)
	go s.accept()
	go s.post()
	s.running.Go(func() { _ = s.web.Serve(s.webConns) })
	return s
}

// enlarge asks for a larger buffer of the kernel than its limit allows, if it may, and else for what it gives.
func enlarge(conn *net.UDPConn) {
	_ = conn.SetReadBuffer(readBuffer)
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, readBuffer)
		})
	}
}

// resolve is the address that host:port names.
func resolve(address string) (*net.UDPAddr, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("OSC address %q must be host:port, like 127.0.0.1:5005", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, fmt.Errorf("OSC address %q: the port of host:port must be a number from 0 to 65535", address)
	}
	if host == "" {
		return nil, fmt.Errorf("OSC address %q names no host: it must be 127.0.0.1:%s for this machine alone, 0.0.0.0:%s for all that reach it", address, port, port)
	}
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, fmt.Errorf("OSC address %q: %w: the host of host:port must be one of this machine's", address, err)
	}
	return a, nil
}

// localAddrs are this machine's addresses now. One that it gets later is not known; packets that come from the
// socket itself by that address are then answered, but /fail and /done never are.
func localAddrs() (list []netip.Addr) {
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr().Unmap())
		}
	}
	return list
}

// own tells whether a packet comes from the server's own socket.
func (s *Server) own(from netip.AddrPort) bool {
	switch {
	case from.Port() != s.self.Port():
		return false
	case !s.self.Addr().IsUnspecified():
		return from.Addr() == s.self.Addr()
	}
	return from.Addr().IsLoopback() || slices.Contains(s.local, from.Addr().WithZone(""))
}
