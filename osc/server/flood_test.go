package server

import (
	"context"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
	"github.com/music-chronus/chronus/osc/internal/udp"
)

// gatherer records messages, ends of packets, and flushes.
type gatherer struct{ notes chan string }

func (g gatherer) Take(m *osc.Message, _ Peer) { g.notes <- string(m.Address) }
func (g gatherer) End(Peer)                    { g.notes <- "end" }
func (g gatherer) Flush()                      { g.notes <- "flush" }

// Over a connection, a flush follows each packet.
func TestFlushOfConnections(t *testing.T) {
	g := gatherer{make(chan string, 100)}
	s := listen(t, "127.0.0.1:0")
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), func() Handler { return g }) }()
	for _, transport := range transports[1:] {
		c := connect(t, s, transport)
		for range 3 {
			c.send(osctest.Encode(t, "/a"))
			for _, want := range []string{"/a", "end", "flush"} {
				select {
				case got := <-g.notes:
					if got != want {
						t.Fatalf("%s: %s where %s should be", transport, got, want)
					}
				case <-time.After(patience):
					t.Fatalf("%s: no %s", transport, want)
				}
			}
		}
	}
	_ = s.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// panics is a handler that panics at one address.
type panics struct{ gatherer }

func (p panics) Take(m *osc.Message, from Peer) {
	if string(m.Address) == "/b" {
		panic("/b")
	}
	p.gatherer.Take(m, from)
}

// A flush follows the messages before a panic. The packets after the panic wait for the next Serve.
func TestFlushAfterPanic(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	c := dial(t, s)
	for _, address := range []string{"/a", "/b", "/c"} {
		write(t, c, osctest.Encode(t, address))
	}
	g := gatherer{make(chan string, 100)}
	if !fails(func() { _ = s.Serve(t.Context(), func() Handler { return panics{g} }) }) {
		t.Error("the panic is nobody's")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, func() Handler { return panics{g} }) }()
	for _, want := range []string{"/a", "end", "flush", "/c", "end", "flush"} {
		select {
		case got := <-g.notes:
			if got != want {
				t.Fatalf("%s where %s should be", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("no %s", want)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// fails reports whether a function panics.
func fails(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return yes
}

// The datagrams of one read are handled before a flush, which always follows.
func TestFlushComesLast(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	c := dial(t, s)
	const packets = 2*udp.MaxBatch + 5
	for range packets {
		write(t, c, bundleOf(t, osctest.Encode(t, "/a"), osctest.Encode(t, "/b")))
	}
	g := gatherer{make(chan string, 10*packets)}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), func() Handler { return g }) }()
	count := map[string]int{}
	for last := ""; count["end"] < packets || last != "flush"; count[last]++ {
		select {
		case last = <-g.notes:
		case <-time.After(patience):
			t.Fatalf("nothing comes after %v", count)
		}
		if last == "flush" && count["/a"] != count["end"] {
			t.Errorf("a flush in the middle of a packet: %v", count)
		}
	}
	if count["/a"] != packets || count["/b"] != packets || count["flush"] > packets/2 {
		t.Errorf("%v", count)
	}
	_ = s.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func bundleOf(t *testing.T, packets ...[]byte) []byte {
	t.Helper()
	b, err := osc.EncodeBundle(osc.Immediately, packets...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Message.Waited is the time that the datagram spent in the socket.
func TestWaited(t *testing.T) {
	const long = 30 * time.Millisecond
	s := listen(t, "127.0.0.1:0")
	write(t, dial(t, s), osctest.Encode(t, "/a"))
	time.Sleep(long) // no Serve runs
	write(t, dial(t, s), osctest.Encode(t, "/b"))
	list := make(chan time.Duration, 2)
	done := make(chan error, 1)
	go func() { done <- s.serveEach(t.Context(), func(m *osc.Message, _ Peer) { list <- m.Waited }) }()
	a, b := <-list, <-list
	if a < long || a > patience || b <= 0 || b > a-long/2 {
		t.Errorf("they waited %v longer one than the other, and are said to have waited %v and %v", long, a, b)
	}
	_ = s.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
