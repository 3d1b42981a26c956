package audio

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// end waits for the fade, then stops and closes the device.
func TestEndFades(t *testing.T) {
	for _, calls := range []int{testBlock, 17, 100} {
		h := newHarness(t, &device{name: "one", period: testBlock, calls: calls})
		h.control.RaiseLead(8)
		h.begin()
		h.run(20)
		h.p.end()
		h.fades()
		if h.dev.state != "open start stop close " {
			t.Errorf("device: %s", h.dev.state)
		}
		if h.waited > 100*time.Millisecond {
			t.Errorf("the end waited for %v", h.waited)
		}
	}
}

// A process that replaces another fades at its own end, whatever words the first has left.
func TestEndFadesAfterSuccession(t *testing.T) {
	h := newHarness(t, &device{name: "first", period: testBlock})
	h.begin()
	h.run(20)
	h.p.end()
	h.fades()
	if h.control.Faded() {
		t.Error("the engine is told of a fade that it has not asked for")
	}
	next := stageHarness(h.stage, &device{name: "second", period: testBlock})
	next.begin()
	next.run(20)
	if next.control.Faded() {
		t.Error("the second process plays, and the engine is told that it has faded")
	}
	next.p.end()
	next.fades()

	last := stageHarness(h.stage, &device{name: "third", period: testBlock})
	last.begin()
	last.run(20)
	last.control.SetTransport(shm.Fade)
	for calls := 0; !last.control.Faded(); calls++ {
		if calls > 20 {
			t.Fatal("the engine is not told that the fade has ended")
		}
		last.run(1)
	}
	last.fades()
	last.p.end()
	last.fades()
}

// end waits at most fadeWait for a device that has stopped calling. It does not wait for a device
// that has not started, or is lost.
func TestEndOfASilentDevice(t *testing.T) {
	h := newHarness(t, &device{name: "stuck", period: testBlock})
	h.begin()
	h.run(4)
	h.dev.started = false
	h.p.end()
	if h.waited < fadeWait || h.waited > fadeWait+10*time.Millisecond || h.dev.state != "open start stop close " {
		t.Errorf("waited for %v; device: %s", h.waited, h.dev.state)
	}
	h = newHarness(t, &device{name: "idle", period: testBlock})
	h.open()
	h.p.end()
	if h.waited != 0 || h.dev.state != "open close " {
		t.Errorf("not started: waited for %v; device: %s", h.waited, h.dev.state)
	}
	h = newHarness(t, &device{name: "lost", period: testBlock})
	h.begin()
	h.dev.lost = errors.New("unplugged")
	if err := h.p.check(); !errors.Is(err, h.dev.lost) {
		t.Errorf("a lost device: %v", err)
	}
	h.p.end()
	if h.waited != 0 || h.dev.state != "open start " {
		t.Errorf("lost: waited for %v; device: %s", h.waited, h.dev.state)
	}
	newHarness(t, &device{name: "none"}).p.end() // no device was ever open
}

// A process that ends before anything plays does not move the clock.
func TestEndWhileIdle(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.control.SetTransport(shm.Idle)
	h.begin()
	h.run(4)
	h.p.end()
	if c := h.control.Clock(); c != 0 || h.waited > 10*time.Millisecond || h.dev.state != "open start stop close " {
		t.Errorf("clock %d; waited for %v; device: %s", c, h.waited, h.dev.state)
	}
}

// Invalid orders do not end the process.
func TestBadOrders(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.order(wire.Order{})
	h.order(wire.Order{Start: true})
	h.order(wire.Order{Warm: "another"})
	if err := h.p.check(); err != nil {
		t.Error(err)
	}
	h.begin()
	h.begin() // an engine that takes over
	h.run(10)
	if h.dev.state != "open start " || h.control.Clock() != 10 {
		t.Errorf("clock %d; device: %s", h.control.Clock(), h.dev.state)
	}
	opened := 0
	for _, n := range h.notices {
		if n.Opened == nil || n.Opened.Backend != "one" || n.Opened.Period != testBlock {
			t.Errorf("notice %+v", n)
		}
		opened++
	}
	if opened != 2 {
		t.Errorf("%d notices of what is open, want one for each engine", opened)
	}
}

// Each report of the device reaches the engine once, and is repeated if there was no engine.
func TestCheckReports(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.begin()
	h.run(1)
	h.notices = nil
	h.dev.missed, h.dev.problem, h.dev.calls, h.deaf = 3, "disk full", 2*testBlock, true
	h.run(1)
	for range 2 {
		_ = h.p.check()
	}
	h.deaf = false
	for range 2 {
		_ = h.p.check()
	}
	if c := h.control.Counters(); c.Xruns != 3 {
		t.Errorf("%d xruns, the device says 3", c.Xruns)
	}
	if len(h.notices) != 1 || h.notices[0].Problem == nil || *h.notices[0].Problem != "disk full" {
		t.Errorf("notices %+v", h.notices)
	}
	if h.p.opened.Period != 2*testBlock {
		t.Errorf("period %d, the device takes %d", h.p.opened.Period, 2*testBlock)
	}
}

// A device that cannot start, a device of another rate, and a missing device end the process with a
// reason.
func TestNoDevice(t *testing.T) {
	for _, tt := range []struct {
		dev  *device
		want string
	}{
		{&device{name: "one", period: testBlock, fails: errors.New("busy")}, "busy"},
		{&device{name: "one", period: testBlock, rate: 44100}, "--rate 44100"},
		{&device{name: "one", refuses: errors.New("no such card")}, "no such card"},
	} {
		h := newHarness(t, tt.dev)
		g := h.journal.Geometry()
		err := h.p.handleOrder(wire.Order{Open: &wire.OpenOrder{Target: wire.Target{Backend: auto}, Rate: int(g.Rate), Channels: 2}}, nil)
		if err == nil {
			err = h.p.handleOrder(wire.Order{Start: true}, nil)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want it to name %q", err, tt.want)
		}
		h.p.end()
	}
}

// The loop ends by a signal, by the end of the last engine, without an engine if nothing plays, and
// by a lost device. It does not end without an engine while it plays.
func TestLoopEnds(t *testing.T) {
	lost := errors.New("unplugged")
	for _, tt := range []struct {
		name  string
		plays bool
		does  func(h *harness, term chan os.Signal, look chan time.Time, orphaned, deserted chan error)
		want  error
	}{
		{"signal", true, func(_ *harness, term chan os.Signal, _ chan time.Time, _, _ chan error) { term <- syscall.SIGTERM }, nil},
		{"orphaned", true, func(_ *harness, _ chan os.Signal, _ chan time.Time, orphaned, _ chan error) { orphaned <- nil }, nil},
		{"deserted", false, func(_ *harness, _ chan os.Signal, _ chan time.Time, _, deserted chan error) { deserted <- lost }, lost},
		{"deserted, plays", true, func(_ *harness, term chan os.Signal, _ chan time.Time, _, deserted chan error) {
			deserted <- lost
			term <- syscall.SIGTERM
		}, nil},
		{"lost", true, func(h *harness, _ chan os.Signal, look chan time.Time, _, _ chan error) {
			h.dev.lost = lost
			look <- time.Time{}
		}, lost},
	} {
		h := newHarness(t, &device{name: "one", period: testBlock})
		if tt.plays {
			h.begin()
		}
		term, look, orphaned, deserted := make(chan os.Signal), make(chan time.Time), make(chan error), make(chan error)
		go tt.does(h, term, look, orphaned, deserted)
		if err := h.p.loop(new(link), events{make(chan received), look, term, orphaned, deserted}); !errors.Is(err, tt.want) || err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// The loop handles orders of the latest engine. An order that ends the process is answered with the
// reason.
func TestLoopHandlesOrders(t *testing.T) {
	h := newHarness(t, &device{name: "one", refuses: errors.New("no such card")})
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer theirs.Close()
	orders := make(chan received, 2)
	orders <- received{from: theirs, connected: true}
	orders <- received{from: theirs, order: wire.Order{Open: &wire.OpenOrder{Target: wire.Target{Backend: "one"}}}}
	if err := h.p.loop(new(link), events{orders: orders}); !errors.Is(err, h.dev.refuses) {
		t.Errorf("%v, want %v", err, h.dev.refuses)
	}
}
