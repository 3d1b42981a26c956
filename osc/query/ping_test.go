package query

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/music-chronus/chronus/osc/feed"
)

// A client that vanishes, like a tablet that leaves the network, loses its place: packets to it
// would wait in the kernel for a quarter of an hour. A client that answers pings keeps its place.
func TestWebSocketGone(t *testing.T) {
	if testing.Short() {
		t.Skip("waits 2 s for a ping")
	}
	b := boardOf(t, testEntries()...)
	view := new(atomic.Pointer[board])
	view.Store(b)
	now := func() feed.Values { return view.Load() }
	f := feed.New(now)
	t.Cleanup(f.Close)
	s, err := Listen("127.0.0.1:0", Config{Name: "test", OSC: netip.MustParseAddrPort("127.0.0.1:5005"), Feed: f, Values: now, ping: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	there := dial(t, s)
	heard := make(chan error, 1)
	go func() {
		_, _, err := there.ws.Read(t.Context()) // and so it answers
		heard <- err
	}()
	for range maxSockets - 1 {
		dial(t, s) // a client that does not read does not answer
	}
	if _, _, err := websocket.Dial(t.Context(), "ws://"+s.Addr().String(), nil); err == nil {
		t.Fatal("there are more places than there should be")
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		free := 0
		for s.sockets.Acquire(netip.Addr{}) {
			free++
		}
		for range free {
			s.sockets.Release(netip.Addr{})
		}
		if free == maxSockets-1 {
			break
		}
		if time.Since(began) > httpTimeout {
			t.Fatalf("%d places are free", free)
		}
	}
	there.say(`{"COMMAND":"LISTEN","DATA":"/gate/e"}`)
	select {
	case err := <-heard:
		if err != nil {
			t.Errorf("who was there: %v", err)
		}
	case <-time.After(httpTimeout):
		t.Error("who was there is told nothing")
	}
}
