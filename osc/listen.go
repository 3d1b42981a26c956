package osc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
)

// readBuffer is what Listen asks of the kernel, in bytes: a burst outlives a short stall. Less is bearable.
const readBuffer = 1 << 20

// Listen opens the socket. address is host:port; the host must be named, 0.0.0.0 or [::] for all of this machine's
// addresses, since whoever reaches the port plays. Port 0 takes a free one, which Addr tells.
func Listen(address string) (*Server, error) {
	a, err := resolve(address)
	if err != nil {
		return nil, err
	}
	network := "udp6"
	if a.IP.To4() != nil {
		network = "udp4" // else 0.0.0.0 would take IPv6 in too
	} else if a.IP.IsUnspecified() {
		network = "udp"
	}
	conn, err := net.ListenUDP(network, a)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("OSC address %s is in use by another program: choose another with --osc", address)
	}
	if err != nil {
		return nil, fmt.Errorf("OSC address %s: %w: choose another with --osc", address, err)
	}
	_ = conn.SetReadBuffer(readBuffer)
	s := &Server{conn: conn, buf: make([]byte, 1<<16), closed: make(chan struct{})}
	bound := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s.self = netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port())
	if s.self.Addr().IsUnspecified() {
		s.local = localAddrs()
	}
	return s, nil
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
