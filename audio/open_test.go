package audio

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// houseOfThree has the backends one, two and null, of which some cannot open a device.
func houseOfThree(t *testing.T, refuse string) (h *house, list []*device) {
	t.Helper()
	for _, name := range []string{"one", "two", "null"} {
		d := &device{name: name, period: testBlock}
		if strings.Contains(refuse, name) {
			d.refuses = errors.New(name + " is busy")
		}
		list = append(list, d)
	}
	return newHouse(t, list...), list
}

// Which device is opened, and what the user is told of it.
func TestChoose(t *testing.T) {
	named := func(b, d string) shm.Target { return shm.Target{Backend: b, Device: d} }
	for _, tt := range []struct {
		name   string
		order  shm.OpenOrder
		refuse string // the backends that cannot open a device
		want   string // the backend that plays; "": none
		device string // that it was asked for
		second bool
		note   string
		err    string
	}{
		{name: "the first", order: shm.OpenOrder{Target: named(auto, "")}, want: "one"},
		{name: "the next", order: shm.OpenOrder{Target: named(auto, "")}, refuse: "one", want: "two", second: true, note: "one is busy; using two"},
		{name: "the first, alone", order: shm.OpenOrder{Target: named(auto, ""), Alone: true}, want: "one"},
		{name: "the first or none", order: shm.OpenOrder{Target: named(auto, ""), Alone: true}, refuse: "one", err: "no backend could open a device: one is busy"},
		{name: "a device of the first", order: shm.OpenOrder{Target: named(auto, "x")}, want: "one", device: "x"},
		{name: "its name means nothing to the next", order: shm.OpenOrder{Target: named(auto, "x")}, refuse: "one", want: "two", second: true, note: "one is busy; using two"},
		{name: "by name", order: shm.OpenOrder{Target: named("two", "x")}, want: "two", device: "x"},
		{name: "by name, and it cannot", order: shm.OpenOrder{Target: named("one", "x")}, refuse: "one", err: "one is busy"},
		{name: "an unknown name", order: shm.OpenOrder{Target: named("three", "")}, err: `backend "three" is unknown; there are auto, one, two, null`},
		{
			name:  "the first of the others",
			order: shm.OpenOrder{Target: named("one", "x"), Others: []shm.Target{named("two", "y"), named("null", "")}}, refuse: "one",
			want: "two", device: "y", second: true, note: "one is busy; using two",
		},
		{
			name:  "the second of the others",
			order: shm.OpenOrder{Target: named("one", ""), Others: []shm.Target{named("two", "y"), named("null", "z")}}, refuse: "one two",
			want: "null", device: "z", second: true, note: "one is busy, two is busy; using null",
		},
		{
			name:  "alone, whatever others there are",
			order: shm.OpenOrder{Target: named("one", ""), Others: []shm.Target{named("two", "")}, Alone: true}, refuse: "one", err: "one is busy",
		},
		{name: "none", order: shm.OpenOrder{Target: named("one", ""), Others: []shm.Target{named("two", "")}}, refuse: "one two", err: "no device could be opened: one is busy, two is busy"},
		{name: "anyhow", order: shm.OpenOrder{Target: named("one", "x"), Anyhow: true}, refuse: "one two", want: "null", second: true, note: "one is busy; using null"},
		{name: "anyhow, without need", order: shm.OpenOrder{Target: named("one", ""), Anyhow: true}, want: "one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, list := houseOfThree(t, tt.refuse)
			c, err := h.p.choose(tt.order, Request{Rate: 48000, Channels: 2}, func([]float32) {})
			if tt.want == "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("%v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if i := c.stream.Info(); i.Backend != tt.want || i.Device != tt.device || c.second != tt.second || c.note != tt.note {
				t.Errorf("plays on %s:%s, second %t, note %q", i.Backend, i.Device, c.second, c.note)
			}
			opened := ""
			for _, d := range list {
				opened += d.state
			}
			if opened != "open " {
				t.Errorf("devices: %s", opened)
			}
		})
	}
}

// The request has what the order asks for, and asks the player whether frames are there.
func TestOpenRequests(t *testing.T) {
	h := newHouse(t, &device{name: "one", period: testBlock})
	h.order(shm.Order{Open: &shm.OpenOrder{Target: shm.Target{Backend: "one", Device: "x"}, Rate: 48000, Channels: 2, Period: 128, Again: true}})
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
	h.order(shm.Order{Start: true})
	if !r.Ready(testBlock) {
		t.Error("not ready with four blocks there")
	}
}

// A device that does not know its period calls in silence until it is known, while another process
// still plays, and is started only once.
func TestProbe(t *testing.T) {
	h := newHouse(t, &device{name: "one", calls: 3 * testBlock / 2})
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
	h.order(shm.Order{Start: true})
	h.run(4)
	h.continues(h.dev.sound, 0)
	if h.dev.state != "open start " {
		t.Errorf("device: %s", h.dev.state)
	}
}

// A probe is left out where the period is known from before; then the device has not called yet.
func TestKnownPeriod(t *testing.T) {
	h := newHouse(t, &device{name: "one"})
	h.order(shm.Order{Open: &shm.OpenOrder{Target: shm.Target{Backend: auto}, Rate: 48000, Channels: 2, Known: 96}})
	if h.dev.state != "open " || h.notices[0].Opened.Period != 96 {
		t.Errorf("device: %s; %+v", h.dev.state, h.notices[0].Opened)
	}
}

// A device that never calls is given up after probeWait, and closed at once: it is silent already.
func TestProbeOfADeadDevice(t *testing.T) {
	h := newHouse(t, &device{name: "one", mute: true})
	err := h.p.obey(shm.Order{Open: &shm.OpenOrder{Target: shm.Target{Backend: auto}, Rate: 48000, Channels: 2}}, nil)
	if err == nil || !strings.Contains(err.Error(), "0 times in 2s") {
		t.Errorf("%v", err)
	}
	if h.waited < probeWait || h.waited > probeWait+10*time.Millisecond {
		t.Errorf("waited for %v", h.waited)
	}
	h.waited = 0
	h.p.end()
	if h.waited != 0 || h.dev.state != "open start stop close " || len(h.notices) != 0 {
		t.Errorf("waited for %v; device: %s; %+v", h.waited, h.dev.state, h.notices)
	}
}

// Only the backend that was named is warmed, and a device is opened all the same.
func TestWarm(t *testing.T) {
	one, two := &device{name: "one", period: testBlock}, &device{name: "two", period: testBlock}
	h := newHouse(t, one, two)
	h.order(shm.Order{Warm: "two"})
	h.order(shm.Order{Warm: "three"})
	h.open()
	if one.warmed != 0 || two.warmed != 1 || one.state != "open " {
		t.Errorf("warmed %d and %d times; device: %s", one.warmed, two.warmed, one.state)
	}
}
