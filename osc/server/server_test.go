package server

import (
	"context"
	"errors"
	"math"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// patience is the longest wait for something that should happen at once.
const patience = 5 * time.Second

// anywhere allows all machines.
var anywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// clock is a server's time, which a test may stop and advance.
type clock struct{ stopped, ahead atomic.Int64 }

func (c *clock) now() time.Time {
	now := time.Now()
	if at := c.stopped.Load(); at != 0 {
		now = time.Unix(0, at)
	}
	return now.Add(time.Duration(c.ahead.Load()))
}

func (c *clock) stop()                   { c.stopped.Store(time.Now().UnixNano()) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

func (s *Server) serveEach(ctx context.Context, take func(*osc.Message, Peer)) error {
	return s.Serve(ctx, HandlerFunc(take))
}

func listen(t *testing.T, address string) *Server {
	t.Helper()
	s, err := Listen(address, Access{Allow: anywhere})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// serve starts a server that ends with the test, and a client.
func serve(t *testing.T, handle func(s *Server) func(*osc.Message, Peer)) (*Server, *net.UDPConn) {
	t.Helper()
	s := listen(t, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serveEach(ctx, handle(s)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s, dial(t, s)
}

func dial(t *testing.T, s *Server) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func write(t *testing.T, c *net.UDPConn, packet []byte) {
	t.Helper()
	if _, err := c.Write(packet); err != nil {
		t.Fatal(err)
	}
}

// read returns the next packet as text, or "" after wait.
func read(c *net.UDPConn, wait time.Duration) string {
	buf := make([]byte, 1<<16)
	_ = c.SetReadDeadline(time.Now().Add(wait))
	n, err := c.Read(buf)
	if err != nil {
		return ""
	}
	got, _ := osctest.Seen(buf[:n])
	return strings.Join(got, "|")
}

// answers is a handler that answers queries and refusals, but not /a: killers.txt has 1,024 of them
// in a packet, whose answers would fill the client's buffer.
func answers(space *osc.Space) func(s *Server) func(*osc.Message, Peer) {
	return func(s *Server) func(*osc.Message, Peer) {
		return func(m *osc.Message, from Peer) {
			address := string(m.Address)
			_, _, err := space.Resolve(m)
			switch {
			case address == "/a":
			case err != nil:
				_ = from.Fail(address, err)
			case address == "/engine/status":
				_ = from.Reply("/done", address)
			}
		}
	}
}

// Answers leave from the socket that received the request: a connected client receives no others.
func TestServerReplies(t *testing.T) {
	s, c := serve(t, answers(osctest.Space(t)))
	for packet, want := range map[string]string{
		string(osctest.Encode(t, "/engine/status")):                   `/done "/engine/status"`,
		string(osctest.Encode(t, "/gate/adsr1", "of")):                `/fail "/gate/adsr1" "\"of\" is not a number, true, false, on or off"`,
		string(osctest.Encode(t, "/mod/filter1/cutoff", float32(-1))): `/fail "/mod/filter1/cutoff" "-1 is not a number from 10 to 20000 Hz"`,
		string(osctest.Encode(t, "/mod/*/cutoff", float32(1))):        `/fail "/mod/*/cutoff" "a pattern stands where one address must"`,
		"/a\x00\x00,x\x00\x00":                                        `/fail "" "OSC packet, byte 5: unknown type tag, or unbalanced bracket"`,
	} {
		write(t, c, []byte(packet))
		if got := read(c, patience); got != want {
			t.Errorf("%q: %s, want %s", packet, got, want)
		}
	}
	want := osc.Stats{Packets: 5, Messages: 4, Failed: 3, Replies: 5}
	st := s.Stats()
	if st.Packets != want.Packets || st.Messages != want.Messages || st.Failed != want.Failed || st.Replies != want.Replies || sum(st.Malformed) != 1 || st.ReadErrors != 0 {
		t.Errorf("%+v", st)
	}
}

// The server handles 20,000 messages of one sender, up to 64 in flight, in the order of sending.
func TestServerOrder(t *testing.T) {
	const count, window = 20000, 64
	tokens, inversions, last := make(chan struct{}, window), 0, int32(-1)
	done := make(chan struct{})
	_, c := serve(t, func(*Server) func(*osc.Message, Peer) {
		return func(m *osc.Message, _ Peer) {
			n := int32(m.Args[0].Bits)
			if n != last+1 {
				inversions++
			}
			if last = n; n == count-1 {
				close(done)
			}
			<-tokens
		}
	})
	late := time.After(60 * time.Second)
	for i := range int32(count) {
		select {
		case tokens <- struct{}{}:
		case <-late:
			t.Fatalf("stuck at message %d", i)
		}
		write(t, c, osctest.Encode(t, "/n", i))
	}
	select {
	case <-done:
	case <-late:
		t.Fatal("the last message did not come")
	}
	if inversions != 0 {
		t.Errorf("%d inversions", inversions)
	}
}

// Answers to a closed client cause ICMP errors; other clients are served on.
func TestServerSurvivesGoneClients(t *testing.T) {
	s, c := serve(t, answers(osctest.Space(t)))
	query := osctest.Encode(t, "/engine/status")
	for range 20 {
		gone := dial(t, s)
		write(t, gone, query)
		_ = gone.Close()
		write(t, c, query)
		if got := read(c, patience); got != `/done "/engine/status"` {
			t.Fatalf("%q", got)
		}
	}
}

// Answers, and packets from the server's own socket, are not answered: that would never end.
func TestServerAnswersNoAnswers(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		s := listen(t, address)
		handled := make(chan string, 10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			_ = s.serveEach(ctx, func(m *osc.Message, _ Peer) { handled <- string(m.Address) })
		}()
		to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.Addr().Port())
		if err := s.Peer(to).Reply("/own"); err != nil {
			t.Fatal(err)
		}
		other := listen(t, "127.0.0.1:0")
		for _, a := range []string{"/fail", "/done", "/x"} {
			if err := other.Peer(to).Reply(a); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case a := <-handled:
			if a != "/x" {
				t.Errorf("%s: %s was handled", address, a)
			}
		case <-time.After(patience):
			t.Errorf("%s: /x was not handled", address)
		}
	}
}

// All malformed packets are counted; failsPerSecond of them are answered a second.
func TestServerBoundsItsAnswers(t *testing.T) {
	s, c := serve(t, answers(osctest.Space(t)))
	began, failed := time.Now(), 0
	for range 50 {
		write(t, c, []byte(osctest.Bundle(strings.Split(strings.Repeat("/a\x00\x00,x\x00\x00|", 19)+"/a\x00\x00,x\x00\x00", "|")...)))
		write(t, c, osctest.Encode(t, "/engine/status"))
		for got := ""; !strings.HasSuffix(got, `/done "/engine/status"`); {
			if got = read(c, patience); got == "" {
				t.Fatal("no answer")
			}
			failed += strings.Count(got, "/fail") // a bundle has several
		}
	}
	most := failsPerSecond * int(math.Ceil(1+time.Since(began).Seconds()))
	if n := sum(s.Stats().Malformed); n != 1000 || failed > most || failed < failsPerSecond {
		t.Errorf("%d faults, %d answers, at most %d", n, failed, most)
	}
}

// Every request of this machine and of connections is answered. Other machines, whose requests may
// be forged, get failsPerSecond refusals a second.
func TestFailToOtherMachines(t *testing.T) {
	s := listen(t, "0.0.0.0:0")
	c := dial(t, listen(t, "127.0.0.1:0"))
	local := c.LocalAddr().(*net.UDPAddr).AddrPort()
	other := netip.AddrPortFrom(netip.IPv4Unspecified(), local.Port()) // no loopback address, yet nothing leaves this machine
	began := time.Now()
	for range 3 * failsPerSecond {
		_ = s.Peer(other).Fail("/a", errors.New(strings.Repeat("x", 10000)))
	}
	most := uint64(failsPerSecond * math.Ceil(1+time.Since(began).Seconds()))
	if st := s.Stats(); st.Failed != 3*failsPerSecond || st.Replies > most {
		t.Errorf("%+v, at most %d", st, most)
	}
	before := s.Stats().Replies
	for range 3 * failsPerSecond {
		if err := s.Peer(local).Fail("/a", errNo); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Stats().Replies - before; n != 3*failsPerSecond {
		t.Errorf("%d answers to this machine", n)
	}
	conn := s.newConn(far, "tcp", nil) // a connection cannot be forged
	for range 3 {
		_ = (Peer{far, conn}).Fail("/a", errNo)
	}
	if n := len(conn.out); n != 3 {
		t.Errorf("%d answers by a connection", n)
	}
}

// A packet causes no allocation from the socket to the handler.
func TestServeNoAllocs(t *testing.T) {
	space := osctest.Space(t)
	var resolved atomic.Uint64
	handled := make(chan struct{}, 1)
	_, c := serve(t, func(*Server) func(*osc.Message, Peer) {
		return func(m *osc.Message, _ Peer) {
			if _, _, err := space.Resolve(m); err == nil {
				resolved.Add(1)
			}
			handled <- struct{}{}
		}
	})
	packet := osctest.Encode(t, "/mod/filter1/cutoff", float32(440))
	if n := testing.AllocsPerRun(1000, func() { write(t, c, packet); <-handled }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	if resolved.Load() < 1000 {
		t.Errorf("%d resolved", resolved.Load())
	}
}
