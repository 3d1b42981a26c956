package sys

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// MaxPacket is the most bytes in one packet of a Socket.
const MaxPacket = 64 << 10

// Socket is one end of a connection that preserves packets and their order, and carries
// descriptors: SOCK_SEQPACKET in unix(7). Any goroutine may call Send, Shutdown and Close at any
// time. One goroutine calls Receive, and no Close may happen meanwhile: Shutdown ends it.
type Socket struct {
	mu sync.Mutex // excludes Close while fd is in use: the kernel reuses the number
	fd int        // -1: closed
}

// SocketPair makes two connected ends. Both close on exec, unless handed to Spawn.
func SocketPair() (a, b *Socket, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return &Socket{fd: fds[0]}, &Socket{fd: fds[1]}, nil
}

// Listener waits for connections at a path.
type Listener struct{ fd int }

// Listen makes a socket at path, only for this user, and replaces an existing file.
func Listen(path string) (*Listener, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	_ = unix.Unlink(path)
	if err = unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err == nil {
		if err = unix.Chmod(path, 0o600); err == nil {
			err = unix.Listen(fd, 8)
		}
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	return &Listener{fd}, nil
}

// ListenerFromFD takes over an inherited descriptor.
func ListenerFromFD(fd int) *Listener {
	unix.CloseOnExec(fd)
	return &Listener{fd}
}

// FD returns the descriptor. The Listener keeps it.
func (l *Listener) FD() int { return l.fd }

// Accept waits for the next connection.
func (l *Listener) Accept() (*Socket, error) {
	for {
		fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC)
		if err == nil {
			return &Socket{fd: fd}, nil
		}
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ECONNABORTED) {
			return nil, fmt.Errorf("accept: %w", err)
		}
	}
}

// Close releases the descriptor. The file at the path stays.
func (l *Listener) Close() error { return unix.Close(l.fd) }

// Dial connects to the Listener at path. It does not wait for Accept.
func Dial(path string) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return &Socket{fd: fd}, nil
}

// SocketFromFD takes over an inherited descriptor.
func SocketFromFD(fd int) *Socket {
	unix.CloseOnExec(fd)
	return &Socket{fd: fd}
}

// FD returns the descriptor, or -1 after Close. The Socket keeps it.
func (s *Socket) FD() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fd
}

// Send sends one packet with descriptors, of which the receiver gets duplicates. It does not block:
// a peer that has stopped reading is an error. After Close the error is os.ErrClosed.
func (s *Socket) Send(packet []byte, fds ...int) error {
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return fmt.Errorf("send %d bytes, %d descriptors: %w", len(packet), len(fds), os.ErrClosed)
	}
	if err := unix.Sendmsg(s.fd, packet, oob, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT); err != nil {
		return fmt.Errorf("send %d bytes, %d descriptors: %w", len(packet), len(fds), err)
	}
	return nil
}

// Receive waits for one packet. The caller owns the descriptors. A connection that has ended is
// io.EOF.
func (s *Socket) Receive(buf []byte) (n int, fds []int, err error) {
	fd := s.FD()
	if fd < 0 {
		return 0, nil, io.EOF
	}
	oob := make([]byte, unix.CmsgSpace(16*4))
	var oobn int
	for {
		n, oobn, _, _, err = unix.Recvmsg(fd, buf, oob, unix.MSG_CMSG_CLOEXEC)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if errors.Is(err, unix.ECONNRESET) || (err == nil && n == 0) {
		return 0, nil, io.EOF
	}
	if err != nil {
		return 0, nil, fmt.Errorf("receive: %w", err)
	}
	if oobn == 0 {
		return n, nil, nil
	}
	msgs, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return 0, nil, fmt.Errorf("receive: %w", err)
	}
	for i := range msgs {
		got, err := unix.ParseUnixRights(&msgs[i])
		if err != nil {
			return 0, nil, fmt.Errorf("receive: %w", err)
		}
		fds = append(fds, got...)
	}
	return n, fds, nil
}

// Shutdown ends both directions: a waiting Receive of either end returns io.EOF.
func (s *Socket) Shutdown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd >= 0 {
		_ = unix.Shutdown(s.fd, unix.SHUT_RDWR)
	}
}

// Close releases the descriptor. The connection of another process that holds a duplicate goes on.
// A second call returns os.ErrClosed.
func (s *Socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return os.ErrClosed
	}
	fd := s.fd
	s.fd = -1
	return unix.Close(fd)
}
