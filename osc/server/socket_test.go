package server

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
)

func testSocket(t *testing.T) *socket {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSocket(conn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A wait that cannot be is an error: who serves pauses after one, and would else ask again at once,
// for ever.
func TestSocketCannotWait(t *testing.T) {
	s := testSocket(t)
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

// A socket ends who waits when it is closed, sends nothing more, and leaves no descriptor.
func TestSocketCloses(t *testing.T) {
	descriptors := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := 0
	for i := range 20 {
		s := testSocket(t)
		if err := s.write([]byte("x"), netip.MustParseAddrPort("[::1]:9")); !errors.Is(err, syscall.EAFNOSUPPORT) {
			t.Errorf("to an address of the other kind: %v", err)
		}
		ended, asked := make(chan error, 1), make(chan struct{}, 1)
		go func() {
			ended <- s.await(func() bool {
				select {
				case asked <- struct{}{}:
				default:
				}
				return false
			})
		}()
		if i%2 == 0 {
			<-asked // it waits, or is about to; else it may not have begun
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("who waits: %v", err)
		}
		if err := s.write([]byte("x"), near); !errors.Is(err, net.ErrClosed) {
			t.Errorf("sent after the end: %v", err)
		}
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed again: %v", err)
		}
		if n := descriptors(); i == 0 {
			before = n
		} else if n != before {
			t.Fatalf("%d descriptors, %d before", n, before)
		}
	}
}

// Addresses are the same on both sides of the kernel.
func TestRawAddr(t *testing.T) {
	for _, text := range []string{"127.0.0.1:1", "192.0.2.7:65535", "[::1]:258", "[2001:db8::7]:9", "[fe80::1%lo]:5"} {
		a := netip.MustParseAddrPort(text)
		var name syscall.RawSockaddrInet6
		var z zoneCache
		if a.Addr().Is4() {
			if rawAddr(&name, a, true, &z); addrPort(&name, &z) != a {
				t.Errorf("%v came back as %v", a, addrPort(&name, &z))
			}
			name = syscall.RawSockaddrInet6{}
		}
		if rawAddr(&name, a, false, &z); addrPort(&name, &z) != a {
			t.Errorf("%v came back as %v, in the long form", a, addrPort(&name, &z))
		}
	}
}
