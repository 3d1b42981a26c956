package osc

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// killers reads testdata/killers.txt: packets that end or mute go-osc, and their like.
func killers(t testing.TB) (packets [][]byte) {
	t.Helper()
	f, err := os.Open("testdata/killers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		line := in.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		var p string
		for _, part := range strings.Fields(line) {
			times := 1
			if end := strings.LastIndexByte(part, '"'); end < len(part)-1 {
				n, err := strconv.Atoi(part[end+2:])
				if err != nil {
					t.Fatal(err)
				}
				part, times = part[:end+1], n
			}
			s, err := strconv.Unquote(part)
			if err != nil {
				t.Fatalf("%s: %v", part, err)
			}
			p += strings.Repeat(s, times)
		}
		packets = append(packets, []byte(p))
	}
	if len(packets) < 20 {
		t.Fatalf("only %d packets", len(packets))
	}
	return packets
}

func listen(t *testing.T, handle func(s *Server) Handler) (*Server, *net.UDPConn) {
	t.Helper()
	s, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, handle(s)) }()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = s.Close()
		_ = c.Close()
	})
	return s, c
}

// After each packet that ends or mutes other servers, ours answers the next request.
func TestServerSurvives(t *testing.T) {
	space := testSpace(t)
	s, c := listen(t, func(s *Server) Handler {
		return func(m *Message, from netip.AddrPort) {
			if _, v, err := space.Resolve(m); err != nil {
				_ = s.Fail(from, string(m.Address), err.Error())
			} else {
				_ = s.Reply(from, "/done", string(m.Address), v)
			}
		}
	})
	good, _ := Encode("/gate/adsr1", "on")
	buf := make([]byte, 1<<16)
	for i, packet := range killers(t) {
		if _, err := c.Write(packet); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		if _, err := c.Write(good); err != nil {
			t.Fatal(err)
		}
		for answered := false; !answered; {
			_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, err := c.Read(buf)
			if err != nil {
				t.Fatalf("after packet %d (%.40q): %v", i, packet, err)
			}
			got, _ := seen(buf[:n])
			answered = len(got) == 1 && got[0] == `/done "/gate/adsr1" 1`
			if n > 600 {
				t.Errorf("packet %d is answered with %d bytes", i, n)
			}
		}
	}
	if st := s.Stats(); len(st.Malformed) == 0 || st.Packets == 0 {
		t.Errorf("%+v", st)
	}
}

// Messages are handled in the order of sending: 20,000 of them, paced so that none is dropped.
func TestServerOrder(t *testing.T) {
	const count = 20000
	got := make(chan int32, count)
	_, c := listen(t, func(s *Server) Handler {
		return func(m *Message, _ netip.AddrPort) { got <- int32(m.Args[0].Bits) }
	})
	for i := range int32(count) {
		packet, _ := Encode("/n", i)
		if _, err := c.Write(packet); err != nil {
			t.Fatal(err)
		}
		if n := <-got; n != i {
			t.Fatalf("message %d where %d should be", n, i)
		}
	}
}

// A reply that comes in is not answered: two servers would answer each other for ever.
func TestServerIgnoresReplies(t *testing.T) {
	handled := make(chan string, 10)
	_, c := listen(t, func(s *Server) Handler {
		return func(m *Message, _ netip.AddrPort) { handled <- string(m.Address) }
	})
	for _, a := range []string{"/fail", "/done", "/x"} {
		packet, _ := Encode(a, "y")
		_, _ = c.Write(packet)
	}
	if a := <-handled; a != "/x" {
		t.Errorf("%s was handled", a)
	}
}

func TestServeAgain(t *testing.T) {
	s, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		got := make(chan struct{}, 1)
		go func() { done <- s.Serve(ctx, func(*Message, netip.AddrPort) { got <- struct{}{} }) }()
		c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		packet, _ := Encode("/x")
		_, _ = c.Write(packet)
		<-got
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
}

func TestListenErrors(t *testing.T) {
	s, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for address, want := range map[string]string{
		s.Addr().String(): "in use by another program: choose another with --osc", "nonsense": "host:port", "127.0.0.1:99999": "host:port",
	} {
		if _, err := Listen(address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
