package osc

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

// A wait that cannot be is an error: who serves pauses after one, and would else ask again at once, for ever.
func TestSocketCannotWait(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSocket(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := syscall.Dup3(int(null.Fd()), s.fd, syscall.O_CLOEXEC); err != nil { // no epoll takes it
		t.Fatal(err)
	}
	for range 2 {
		if err := s.await(func() bool { return false }); !errors.Is(err, syscall.EPERM) {
			t.Errorf("%v", err)
		}
	}
	if err := s.await(func() bool { return true }); err != nil {
		t.Errorf("something has come, and %v", err)
	}
}
