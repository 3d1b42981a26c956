// Package udp is a UDP socket that reads many datagrams by one system call, and that costs no
// thread wake-up for each datagram.
package udp

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// Socket is a blocking UDP socket outside of Go's poller. Inside the poller, each arriving datagram
// wakes a waiting thread, even if none waits for this socket: under a flood that costs more than
// writing and reading the datagrams. Only an epoll instance that holds the socket is in the poller.
// It reports one arrival, and again once it is re-armed.
type Socket struct {
	fd     int
	epoll  *os.File // in Go's poller
	poll   func(fd uintptr) bool
	raw    syscall.RawConn // of epoll
	ready  func() bool     // the argument of the current await
	armed  bool            // epoll will report, or has reported, an arrival
	armErr error           // why arming failed
	inet4  bool            // addresses have the kernel's form for IPv4
	zones  zoneCache
	mu     sync.RWMutex // of closed: the number of a closed descriptor may be reused
	closed bool
}

// sendWait is the time that the network may refuse a datagram before it is dropped.
const sendWait = time.Second

// NewSocket duplicates the descriptor of conn, and closes conn in any case.
func NewSocket(conn *net.UDPConn) (s *Socket, err error) {
	defer conn.Close() // removes it from Go's poller
	s = &Socket{fd: -1, inet4: conn.LocalAddr().(*net.UDPAddr).IP.To4() != nil}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	_ = raw.Control(func(fd uintptr) {
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
		if s.fd = int(n); errno != 0 {
			s.fd, err = -1, os.NewSyscallError("fcntl", errno)
		}
	})
	if err != nil {
		return nil, err
	}
	wait := syscall.NsecToTimeval(int64(sendWait))
	_ = syscall.SetsockoptTimeval(s.fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &wait)
	if err = syscall.SetNonblock(s.fd, false); err != nil { // so that write waits for the network
		return nil, err
	}
	return s, s.openEpoll()
}

// openEpoll makes the epoll instance and puts it into Go's poller.
func (s *Socket) openEpoll() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	_ = syscall.SetNonblock(fd, true) // Go polls only non-blocking files
	s.epoll = os.NewFile(uintptr(fd), "epoll")
	if err = s.arm(fd, syscall.EPOLL_CTL_ADD); err != nil {
		return err
	}
	if err = s.epoll.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("poll an epoll instance: %w", err)
	}
	if s.raw, err = s.epoll.SyscallConn(); err != nil {
		return err
	}
	s.poll = func(fd uintptr) bool {
		if s.armed { // consume the report
			var heard [1]syscall.EpollEvent
			_, _ = syscall.EpollWait(int(fd), heard[:], 0)
			s.armed = false
		}
		if s.armErr = nil; s.ready() {
			return true
		}
		s.armErr = s.arm(int(fd), syscall.EPOLL_CTL_MOD)
		return s.armErr != nil
	}
	return nil
}

// arm makes the epoll instance report the next arrival, or one that has happened.
func (s *Socket) arm(epoll, op int) error {
	s.armed = true
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLONESHOT, Fd: int32(s.fd)}
	err := syscall.EpollCtl(epoll, op, s.fd, &event)
	return os.NewSyscallError("epoll_ctl", err)
}

// await calls ready after each arrival until it returns true. It returns an error at the deadline,
// and net.ErrClosed after Close. Two calls must not overlap.
func (s *Socket) await(come func() bool) error {
	s.ready = come
	err := s.raw.Read(s.poll)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return net.ErrClosed
	}
	return cmp.Or(err, s.armErr)
}

// SetReadDeadline sets the time at which await returns an error, as that of a net.Conn.
func (s *Socket) SetReadDeadline(t time.Time) error { return s.epoll.SetReadDeadline(t) }

// Write sends one datagram. It waits for the network for at most sendWait.
func (s *Socket) Write(packet []byte, to netip.AddrPort) error {
	if s.inet4 && !to.Addr().Unmap().Is4() {
		return syscall.EAFNOSUPPORT
	}
	var name syscall.RawSockaddrInet6
	size := rawAddr(&name, to, s.inet4, &s.zones)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return net.ErrClosed
	}
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_SENDTO, uintptr(s.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(packet))), uintptr(len(packet)), 0,
			uintptr(unsafe.Pointer(&name)), size)
		switch errno {
		case 0:
			return nil
		case syscall.EINTR: // a signal while it waited
		default:
			return os.NewSyscallError("sendto", errno)
		}
	}
}

// Close closes the socket, and ends an await.
func (s *Socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	s.release()
	return nil
}

func (s *Socket) release() {
	if s.epoll != nil {
		_ = s.epoll.Close() // ends await, and waits for ready to return
	}
	if s.fd >= 0 {
		_ = syscall.Close(s.fd)
	}
}

// addrPort returns a sender's address, IPv4 in its short form.
func addrPort(name *syscall.RawSockaddrInet6, z *zoneCache) netip.AddrPort {
	if name.Family == syscall.AF_INET {
		short := (*syscall.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(short.Addr), binary.BigEndian.Uint16(portOf(&short.Port)))
	}
	addr := netip.AddrFrom16(name.Addr).Unmap()
	if name.Scope_id != 0 {
		addr = addr.WithZone(z.name(name.Scope_id))
	}
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(portOf(&name.Port)))
}

// rawAddr fills in an address for the kernel, and returns its size in bytes.
func rawAddr(name *syscall.RawSockaddrInet6, a netip.AddrPort, inet4 bool, z *zoneCache) (size uintptr) {
	if inet4 {
		short := (*syscall.RawSockaddrInet4)(unsafe.Pointer(name))
		short.Family, short.Addr = syscall.AF_INET, a.Addr().As4()
		binary.BigEndian.PutUint16(portOf(&short.Port), a.Port())
		return syscall.SizeofSockaddrInet4
	}
	name.Family, name.Addr, name.Scope_id = syscall.AF_INET6, a.Addr().As16(), z.index(a.Addr().Zone())
	binary.BigEndian.PutUint16(portOf(&name.Port), a.Port())
	return syscall.SizeofSockaddrInet6
}

// portOf returns the bytes of a port, which are in network order.
func portOf(port *uint16) []byte { return (*[2]byte)(unsafe.Pointer(port))[:] }
