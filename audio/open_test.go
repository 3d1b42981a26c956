package audio

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm/wire"
)

// Request has the fields of the order, and Ready asks the player.
func TestOpenRequests(t *testing.T) {
	h := newHarness(t, &device{name: "one", period: testBlock})
	h.order(wire.Order{Open: &wire.OpenOrder{Target: wire.Target{Backend: "one", Device: "x"}, Rate: 48000, Channels: 2, Period: 128, Again: true}})
	r := h.dev.asked[0]
	if r.Device != "x" || r.Rate != 48000 || r.Channels != 2 || r.Period != 128 || !r.Again {
		t.Errorf("%+v", r)
	}
	h.hand(0)
	h.hand(1)
	if r.Ready(testBlock) {
		t.Error("ready with no block there")
	}
	h.fillUp(0)
	h.order(wire.Order{Start: true})
	if !r.Ready(testBlock) {
		t.Error("not ready with four blocks there")
	}
}

// A device of unknown period calls in silence until its period is measured, while another process
// plays. It is started only once.
func TestProbe(t *testing.T) {
	h := newHarness(t, &device{name: "one", calls: 3 * testBlock / 2})
	h.open()
	if n := h.notices; len(n) != 1 || n[0].Opened == nil || n[0].Opened.Period != 3*testBlock/2 {
		t.Fatalf("%+v, the device calls for %d frames", n, 3*testBlock/2)
	}
	if len(h.dev.sound) < probeCalls*testBlock || h.control.Clock() != 0 || h.control.Counters().Callbacks != 0 {
		t.Errorf("%d frames, clock %d, %+v", len(h.dev.sound), h.control.Clock(), h.control.Counters())
	}
	for i, v := range h.dev.sound {
		if v != 0 {
			t.Fatalf("frame %d of the probe is %g", i, v)
		}
	}
	h.dev.sound = nil
	h.control.RaiseLead(8)
	h.hand(0)
	h.hand(1)
	h.order(wire.Order{Start: true})
	h.run(4)
	h.continues(h.dev.sound, 0)
	if h.dev.state != "open start " {
		t.Errorf("device: %s", h.dev.state)
	}
}

// If the period is already known, the device is not probed and does not call yet.
func TestKnownPeriod(t *testing.T) {
	h := newHarness(t, &device{name: "one"})
	h.order(wire.Order{Open: &wire.OpenOrder{Target: wire.Target{Backend: auto}, Rate: 48000, Channels: 2, Known: 96}})
	if h.dev.state != "open " || h.notices[0].Opened.Period != 96 {
		t.Errorf("device: %s; %+v", h.dev.state, h.notices[0].Opened)
	}
}

// A device that never calls is abandoned after probeWait. It is not closed, since its driver may
// hang.
func TestProbeOfADeadDevice(t *testing.T) {
	h := newHarness(t, &device{name: "one", silent: true})
	err := h.p.handleOrder(wire.Order{Open: &wire.OpenOrder{Target: wire.Target{Backend: auto}, Rate: 48000, Channels: 2}}, nil)
	if err == nil || !strings.Contains(err.Error(), "0 times in 2s") {
		t.Errorf("%v", err)
	}
	if h.waited < probeWait || h.waited > probeWait+10*time.Millisecond {
		t.Errorf("waited for %v", h.waited)
	}
	h.waited = 0
	h.p.end()
	if h.waited != 0 || h.dev.state != "open start " || len(h.notices) != 0 {
		t.Errorf("waited for %v; device: %s; %+v", h.waited, h.dev.state, h.notices)
	}
}

// Only the named backend is warmed. Its device opens in any case.
func TestWarm(t *testing.T) {
	one, two := &device{name: "one", period: testBlock}, &device{name: "two", period: testBlock}
	h := newHarness(t, one, two)
	h.order(wire.Order{Warm: "two"})
	h.order(wire.Order{Warm: "three"})
	h.open()
	if one.warmed != 0 || two.warmed != 1 || one.state != "open " {
		t.Errorf("warmed %d and %d times; device: %s", one.warmed, two.warmed, one.state)
	}
}

// A device that takes more frames at a time than the rings hold is skipped, also if it plays
// already. Without another device the process ends with the reason.
func TestPeriodTooLong(t *testing.T) {
	order := wire.OpenOrder{Target: wire.Target{Backend: "one"}, Others: []wire.Target{{Backend: "two"}}, Rate: 48000, Channels: 2}
	h := newHarness(t, &device{name: "one", period: 4 * testBlock}, &device{name: "two", period: testBlock})
	h.order(wire.Order{Open: &order})
	if o := h.p.opened; o == nil || o.Backend != "two" || !o.OnFallback || !strings.Contains(o.Note, "takes more than the rings hold: 256 frames at a time, at most 192") {
		t.Errorf("plays on %+v", o)
	}
	h = newHarness(t, &device{name: "one", period: 4 * testBlock})
	order.Others = nil
	if err := h.p.handleOrder(wire.Order{Open: &order}, nil); !errors.Is(err, errTooLong) {
		t.Errorf("%v", err)
	}
	h = newHarness(t, &device{name: "one", period: testBlock})
	h.begin()
	h.run(1)
	h.dev.calls = 4 * testBlock
	h.run(1)
	if err := h.p.check(); !errors.Is(err, errTooLong) {
		t.Errorf("while it plays: %v", err)
	}
}
