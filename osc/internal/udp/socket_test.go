package udp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
)

func testSocket(t *testing.T) *Socket {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSocket(conn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A failed wait is an error: without one, the server would wait again at once, forever.
func TestSocketCannotWait(t *testing.T) {
	s := testSocket(t)
	defer s.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := syscall.Dup3(int(null.Fd()), s.fd, syscall.O_CLOEXEC); err != nil { // epoll refuses it
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

// Close ends a wait, refuses later writes, and leaves no descriptor.
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
		if err := s.Write([]byte("x"), netip.MustParseAddrPort("[::1]:9")); !errors.Is(err, syscall.EAFNOSUPPORT) {
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
			<-asked // it waits, or is about to; otherwise it may not have begun
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("who waits: %v", err)
		}
		if err := s.Write([]byte("x"), netip.MustParseAddrPort("127.0.0.1:4000")); !errors.Is(err, net.ErrClosed) {
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

// Addresses survive the kernel's form.
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
