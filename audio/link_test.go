package audio

import (
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// connection makes the two ends of a connection: the audio process's, and the engine's.
func connection(t *testing.T) (process, engine *sys.Socket) {
	t.Helper()
	process, engine, err := sys.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Close()
		_ = engine.Close()
	})
	return process, engine
}

// hears fails unless the next packet at the engine's end is a notice that something failed. If what
// is "", the connection must have ended.
func hears(t *testing.T, engine *sys.Socket, what string) {
	t.Helper()
	polled := []sys.PollFD{{FD: engine.FD()}}
	if sys.Poll(polled, nil, 10*time.Second); !polled[0].Ready {
		t.Fatalf("nothing is heard, want %q", what)
	}
	n, _, err := wire.Receive[wire.Notice](engine)
	switch {
	case what == "" && !errors.Is(err, io.EOF):
		t.Errorf("%+v, %v; want the connection to be shut", n, err)
	case what != "" && (err != nil || n.Failed != what):
		t.Errorf("%+v, %v; want %q", n, err, what)
	}
}

// A later engine replaces an earlier one, whose orders are ignored. The end of the earlier one does
// not affect the later.
func TestLaterEngine(t *testing.T) {
	var l link
	first, engine1 := connection(t)
	second, engine2 := connection(t)
	if l.notify(wire.Notice{Failed: "unheard"}) {
		t.Error("something was told to no engine")
	}
	if l.admit(received{from: first, connected: true}) || !l.admit(received{from: first}) {
		t.Fatal("the order of the only engine is not followed, or its connecting is taken for an order")
	}
	l.notify(wire.Notice{Failed: "one"})
	hears(t, engine1, "one")
	if l.admit(received{from: second, connected: true}) {
		t.Error("connecting is taken for an order")
	}
	hears(t, engine1, "")
	fd := dup(t, second.FD())
	open := descriptors(t)
	if l.admit(received{from: first, fds: []int{fd}}) {
		t.Error("an order of the earlier engine is followed")
	}
	if n := descriptors(t); n != open-1 {
		t.Errorf("%d descriptors are open, want %d: what came with an order not followed is closed", n, open-1)
	}
	if l.admit(received{from: first, disconnected: true}) || first.FD() >= 0 {
		t.Error("the earlier engine's connection stays open")
	}
	if !l.notify(wire.Notice{Failed: "two"}) || !l.admit(received{from: second}) {
		t.Error("the end of the earlier engine has cost the later one its place")
	}
	hears(t, engine2, "two")
	if l.admit(received{from: second, disconnected: true}) || l.notify(wire.Notice{}) || second.FD() >= 0 {
		t.Error("the last engine is gone, and is followed")
	}
	third, engine3 := connection(t)
	l.admit(received{from: third, connected: true})
	l.notify(wire.Notice{Failed: "three"})
	hears(t, engine3, "three")
}

// Orders of all connections arrive, each with its descriptors. Invalid packets are skipped.
func TestAccept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := sys.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	orders := make(chan received)
	next := func() (r received) {
		t.Helper()
		select {
		case r = <-orders:
		case <-time.After(10 * time.Second):
			t.Fatal("waited in vain for an order")
		}
		return r
	}
	go accept(l, orders)
	var from [2]*sys.Socket
	for i := range from {
		engine, err := sys.Dial(path)
		if err != nil {
			t.Fatal(err)
		}
		r := next()
		if !r.connected {
			t.Fatalf("%+v, want an engine that has connected", r)
		}
		from[i] = r.from
		fd := dup(t, engine.FD())
		if err := errors.Join(engine.Send([]byte("{")), engine.Send([]byte(`"x"`), fd), wire.Send(engine, wire.Order{Warm: "x"}, fd)); err != nil {
			t.Fatal(err)
		}
		_ = sys.CloseFD(fd)
		if r = next(); r.from != from[i] || r.order.Warm != "x" || len(r.fds) != 1 || r.connected || r.disconnected {
			t.Errorf("%+v, want the order after two packets that are none", r)
		}
		sys.CloseAll(r.fds)
		_ = engine.Close()
		if r = next(); r.from != from[i] || !r.disconnected {
			t.Errorf("%+v, want the end of the connection", r)
		}
		_ = r.from.Close()
	}
	if from[0] == from[1] {
		t.Error("two connections are one")
	}
}
