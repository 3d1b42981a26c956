package server

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

// socket is a UDP socket outside of Go's poller. In it each datagram that comes would wake a thread that waits for anything at all, also while nobody
// waits for this socket: under a flood that costs its sender, and us, more than to write and to read. An epoll is between: it says that something
// has come once, and again when it is asked to.
type socket struct {
	fd     int
	bell   *os.File // the epoll, which is in Go's poller
	ring   func(fd uintptr) bool
	raw    syscall.RawConn // of bell
	come   func() bool     // of the await that waits
	armed  bool            // the bell will say, or has said, that something has come
	deaf   error           // why it will not
	inet4  bool            // what it sends to has the short form
	zones  zones
	mu     sync.RWMutex // of closed: a descriptor that is closed may be another's
	closed bool
}

// sendWait bounds how long the network may refuse a datagram before it is dropped.
const sendWait = time.Second

// newSocket takes over a socket, which is closed in any case.
func newSocket(conn *net.UDPConn) (s *socket, err error) {
	defer conn.Close() // and so out of Go's poller
	s = &socket{fd: -1, inet4: conn.LocalAddr().(*net.UDPAddr).IP.To4() != nil}
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
	if err = syscall.SetNonblock(s.fd, false); err != nil { // so that what is sent waits for the network
		return nil, err
	}
	return s, s.hang()
}

// hang makes the bell.
func (s *socket) hang() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	_ = syscall.SetNonblock(fd, true) // says that it can be polled
	s.bell = os.NewFile(uintptr(fd), "epoll")
	if err = s.arm(fd, syscall.EPOLL_CTL_ADD); err != nil {
		return err
	}
	if err = s.bell.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("an epoll in Go's poller: %w", err)
	}
	if s.raw, err = s.bell.SyscallConn(); err != nil {
		return err
	}
	s.ring = func(fd uintptr) bool {
		if s.armed { // or each that comes says so
			var heard [1]syscall.EpollEvent
			_, _ = syscall.EpollWait(int(fd), heard[:], 0)
			s.armed = false
		}
		if s.deaf = nil; s.come() {
			return true
		}
		s.deaf = s.arm(int(fd), syscall.EPOLL_CTL_MOD)
		return s.deaf != nil
	}
	return nil
}

// arm has the bell say when something comes, or has come already.
func (s *socket) arm(epoll, op int) error {
	s.armed = true
	err := syscall.EpollCtl(epoll, op, s.fd, &syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLONESHOT, Fd: int32(s.fd)})
	return os.NewSyscallError("epoll_ctl", err)
}

// await returns once come does not say false any more; it is asked each time that something has come. It ends by an error at the deadline, and net.ErrClosed after
// Close. It must not be called twice at a time.
func (s *socket) await(come func() bool) error {
	s.come = come
	err := s.raw.Read(s.ring)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return net.ErrClosed
	}
	return cmp.Or(err, s.deaf)
}

// SetReadDeadline is when await ends, as that of a net.Conn.
func (s *socket) SetReadDeadline(t time.Time) error { return s.bell.SetReadDeadline(t) }

// write sends one datagram.
func (s *socket) write(packet []byte, to netip.AddrPort) error {
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
		_, _, errno := syscall.Syscall6(syscall.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(packet))), uintptr(len(packet)), 0,
			uintptr(unsafe.Pointer(&name)), size)
		switch errno {
		case 0:
			return nil
		case syscall.EINTR: // it waited for the network
		default:
			return os.NewSyscallError("sendto", errno)
		}
	}
}

// Close ends an await.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	s.release()
	return nil
}

func (s *socket) release() {
	if s.bell != nil {
		_ = s.bell.Close() // it waits for come
	}
	if s.fd >= 0 {
		_ = syscall.Close(s.fd)
	}
}

// addrPort is a sender's address in its short form.
func addrPort(name *syscall.RawSockaddrInet6, z *zones) netip.AddrPort {
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

// rawAddr is an address as the kernel takes it, and its bytes.
func rawAddr(name *syscall.RawSockaddrInet6, a netip.AddrPort, inet4 bool, z *zones) (size uintptr) {
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

// portOf is the bytes of a port, which are in the network's order.
func portOf(port *uint16) []byte { return (*[2]byte)(unsafe.Pointer(port))[:] }
