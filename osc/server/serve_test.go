package server

import (
	"context"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// Packets that arrive between two calls of Serve wait in the socket: 500 restarts lose none, and
// keep the order.
func TestServeAgain(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	c := dial(t, s)
	next := int32(0)
	for restart := range 500 {
		for i := range int32(3) {
			write(t, c, osctest.Encode(t, "/n", 3*int32(restart)+i))
		}
		for heard := 0; heard < 3; {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			before := heard
			if err := s.serveEach(ctx, func(m *osc.Message, _ Peer) {
				if n := int32(m.Args[0].Bits); n != next {
					t.Errorf("message %d where %d should be", n, next)
				}
				heard, next = heard+1, next+1
				cancel()
			}); err != nil {
				t.Fatal(err)
			}
			if cancel(); heard == before {
				t.Fatalf("restart %d: deaf", restart)
			}
		}
	}
}

// A late interruption of one Serve does not stop the next one. On one processor it is as late as
// possible.
func TestInterruptStaysWithItsServe(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s := listen(t, "127.0.0.1:0")
	c := dial(t, s)
	packet := osctest.Encode(t, "/x")
	for range 20 {
		write(t, c, packet)
		first, cancel := context.WithCancel(context.Background())
		_ = s.serveEach(first, func(*osc.Message, Peer) { cancel() })
		time.AfterFunc(time.Millisecond, func() { _, _ = c.Write(packet) })
		second, cancel := context.WithTimeout(context.Background(), patience)
		heard := false
		_ = s.serveEach(second, func(*osc.Message, Peer) { heard = true; cancel() })
		if cancel(); !heard {
			t.Fatal("deaf")
		}
	}
}

// A panic of a handler loses its own message and no other; the socket stays open.
func TestServeAfterPanic(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	c := dial(t, s)
	write(t, c, osctest.Encode(t, "/a"))
	write(t, c, osctest.Encode(t, "/b"))
	func() {
		defer func() {
			if r := recover(); r != "/a" {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = s.serveEach(t.Context(), func(m *osc.Message, _ Peer) { panic(string(m.Address)) })
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got := ""
	if err := s.serveEach(ctx, func(m *osc.Message, _ Peer) { got = string(m.Address); cancel() }); err != nil || got != "/b" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestServeEnds(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	write(t, dial(t, s), osctest.Encode(t, "/waits"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	never := func(*osc.Message, Peer) { t.Error("handled") }
	if err := s.serveEach(ended, never); err != nil {
		t.Errorf("of an ended context: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- s.serveEach(t.Context(), func(*osc.Message, Peer) {}) }()
	time.Sleep(10 * time.Millisecond) // so that most times a read waits
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("closed: %v", err)
		}
	case <-time.After(patience):
		t.Error("Close did not end Serve")
	}
	if err := s.serveEach(t.Context(), never); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

// Failed reads are counted, and Serve goes on.
func TestServeOutlivesReadErrors(t *testing.T) {
	s, c := serve(t, answers(osctest.Space(t)))
	query := osctest.Encode(t, "/engine/status")
	write(t, c, query)
	if got := read(c, patience); got == "" {
		t.Fatal("no answer before")
	}
	if err := s.conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); s.Stats().ReadErrors < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no read failed")
		}
	}
	if err := s.conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	write(t, c, query)
	if got := read(c, patience); got != `/done "/engine/status"` {
		t.Errorf("%q", got)
	}
}

// After Close, datagrams that were read before are not handled: neither by the current Serve nor by
// a later one.
func TestCloseLeavesWhatWasRead(t *testing.T) {
	for _, within := range []bool{true, false} {
		s := listen(t, "127.0.0.1:0")
		c := dial(t, s)
		for range 3 {
			write(t, c, osctest.Encode(t, "/x"))
		}
		ctx, cancel := context.WithCancel(t.Context())
		handled := 0
		take := func(*osc.Message, Peer) {
			if handled++; within {
				_ = s.Close()
			} else {
				cancel()
			}
		}
		if err := s.serveEach(ctx, take); err != nil {
			t.Error(err)
		}
		_ = s.Close()
		if err := s.serveEach(t.Context(), take); err != nil || handled != 1 {
			t.Errorf("closed by its handler %t: %v, %d handled", within, err, handled)
		}
		cancel()
	}
}

func TestReplyErrors(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	if err := s.Peer(s.Addr()).Reply("/a", struct{}{}); err == nil || !strings.Contains(err.Error(), "has no OSC type") {
		t.Error(err)
	}
	_ = s.Close()
	if err := s.Peer(s.Addr()).Fail("/a", errNo); err == nil || !strings.Contains(err.Error(), "reply to udp "+s.Addr().String()) {
		t.Error(err)
	}
	if st := s.Stats(); st.Replies != 0 || st.Failed != 1 {
		t.Errorf("%+v", st)
	}
}

// A peer is equal for all requests of one socket, differs for another, and ends with its server.
func TestPeer(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	a, b := netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("192.0.2.1:1")
	if s.Peer(a) != s.Peer(a) || s.Peer(a) == s.Peer(b) || s.Peer(a) == listen(t, "127.0.0.1:0").Peer(a) || s.Peer(a) == (Peer{}) {
		t.Error("peers are not told apart by server and address")
	}
	if p := s.Peer(a); p.String() != "udp 127.0.0.1:1" || !p.Local() || s.Peer(b).Local() || p.Addr() != a {
		t.Errorf("%v", p)
	}
	if err := (Peer{}).Fail("/a", errNo); err == nil || (Peer{}).String() != "invalid peer" {
		t.Errorf("%v", err)
	}
	select {
	case <-s.Peer(a).Closed():
		t.Error("gone before its server")
	default:
	}
	_ = s.Close()
	<-s.Peer(a).Closed()
	<-(Peer{}).Closed()
}
