package audio

import (
	"testing"
	"time"

	"github.com/music-chronus/chronus/audio/soundserver"
	"github.com/music-chronus/chronus/shm/wire"
)

// device is a backend whose device calls when the test does. It records what it gets.
type device struct {
	name    string
	period  int // as reported; 0: unknown
	calls   int // frames in one call
	rate    int // 0: as requested
	refuses error
	fails   error // error of Start
	lost    error
	problem string
	missed  uint64
	silent  bool // never calls

	asked   []Request
	warmed  int
	fill    Fill
	info    Info
	state   string // log of method calls
	started bool
	sound   []float32 // left channel
}

func (d *device) Name() string               { return d.name }
func (d *device) Devices() ([]Device, error) { return nil, nil }
func (d *device) Warm() error                { d.warmed++; return nil }

func (d *device) Open(r Request, fill Fill) (Stream, error) {
	d.asked = append(d.asked, r)
	if d.refuses != nil {
		return nil, d.refuses
	}
	rate := d.rate
	if rate == 0 {
		rate = r.Rate
	}
	d.fill = fill
	d.info = Info{Backend: d.name, Device: r.Device, Rate: rate, Channels: r.Channels, Period: d.period}
	d.state += "open "
	return d, nil
}

func (d *device) Info() Info      { return d.info }
func (d *device) Xruns() uint64   { return d.missed }
func (d *device) Err() error      { return d.lost }
func (d *device) Problem() string { return d.problem }

func (d *device) Start() error {
	d.state += "start "
	d.started = d.fails == nil
	return d.fails
}

func (d *device) Stop() error {
	d.state += "stop "
	d.started = false
	return nil
}

func (d *device) Close() error {
	d.state += "close "
	return nil
}

// call is one callback, if the device has started.
func (d *device) call() {
	if !d.started || d.silent {
		return
	}
	out := make([]float32, d.calls*d.info.Channels)
	d.fill(out)
	for i := 0; i < len(out); i += d.info.Channels {
		d.sound = append(d.sound, out[i])
	}
}

// harness is a process on a stage of two workers. Time passes only in await: one call of the device
// per millisecond.
type harness struct {
	*stage
	p       *process
	dev     *device // the device that calls
	notices []wire.Notice
	deaf    bool // there is no engine
	waited  time.Duration
}

func newHarness(t *testing.T, backends ...*device) *harness {
	t.Helper()
	return stageHarness(newStage(t, 2), backends...)
}

// stageHarness makes another process on a stage, as after the end of the first.
func stageHarness(s *stage, backends ...*device) *harness {
	h := &harness{stage: s, dev: backends[0]}
	var list []Backend
	for _, b := range backends {
		if b.calls == 0 {
			b.calls = testBlock
		}
		list = append(list, b)
	}
	words := s.player.words
	d := &livenessWatcher{words: words, journal: s.journal, done: make(chan struct{})}
	h.p = newProcess(list, words, s.journal, d, func(n wire.Notice) bool {
		if !h.deaf {
			h.notices = append(h.notices, n)
		}
		return !h.deaf
	})
	h.p.servers = func() soundserver.Servers { return soundserver.Servers{} }
	h.p.clock = func() int64 {
		h.now += 2 * int64(answerTime) // so two calls are no burst
		return h.now
	}
	h.p.await = func(limit time.Duration, ok func() bool) bool {
		for waited := time.Duration(0); !ok(); waited += time.Millisecond {
			if waited > limit {
				return false
			}
			h.waited += time.Millisecond
			h.fillUp(0)
			h.dev.call()
		}
		return true
	}
	return h
}

// order gives the process an order, and fails if that ends the process.
func (h *harness) order(o wire.Order, fds ...int) {
	h.t.Helper()
	if err := h.p.handleOrder(o, fds); err != nil {
		h.t.Fatalf("order %+v: %v", o, err)
	}
}

// open opens the device.
func (h *harness) open() {
	h.t.Helper()
	g := h.journal.Geometry()
	h.order(wire.Order{Open: &wire.OpenOrder{Target: wire.Target{Backend: auto}, Rate: int(g.Rate), Channels: int(g.Channels)}})
}

// hand hands over the ring of worker i.
func (h *harness) hand(i int) {
	h.t.Helper()
	_, gen := h.slots[i].Slot()
	h.order(wire.Order{Attach: &wire.AttachOrder{Slot: i, Generation: gen}}, dup(h.t, h.slots[i].FD()))
}

// begin opens the device, hands over both rings, and starts.
func (h *harness) begin() {
	h.t.Helper()
	h.open()
	h.hand(0)
	h.hand(1)
	h.order(wire.Order{Start: true})
}

// run lets the device call, with workers that keep up.
func (h *harness) run(calls int) {
	for range calls {
		h.fillUp(0)
		h.fillUp(1)
		h.dev.call()
	}
}

// fades fails unless the device's sound fades to silence in inaudible steps.
func (h *harness) fades() {
	h.t.Helper()
	sound := h.dev.sound
	if n := len(sound); n == 0 || sound[n-1] != 0 {
		h.t.Fatalf("the last of %d samples is not 0: %v", n, sound[max(0, n-3):])
	}
	loudest := float32(0)
	for _, v := range sound {
		loudest = max(loudest, v)
	}
	if loudest < 1e-4 {
		h.t.Fatalf("nothing was heard: the loudest sample is %g", loudest)
	}
	const frames = 240 // fadeSeconds
	for i := 1; i < len(sound); i++ {
		if step := sound[i-1] - sound[i]; step > 3*loudest/frames {
			h.t.Fatalf("frame %d of %d falls from %g to %g", i, len(sound), sound[i-1], sound[i])
		}
	}
}

// refusal returns why a ring was refused. It fails if there are other notices.
func (h *harness) refusal(slot int, gen uint64) string {
	h.t.Helper()
	if len(h.notices) != 1 || h.notices[0].Refused == nil {
		h.t.Fatalf("notices %+v, want one refusal", h.notices)
	}
	r := h.notices[0].Refused
	if r.Slot != slot || r.Generation != gen {
		h.t.Fatalf("refused: %+v, want slot %d, generation %d", r, slot, gen)
	}
	return r.Reason
}

// closeAll unmaps what the process and the workers have mapped, since a fuzz target makes many.
func (h *harness) closeAll() {
	h.dev.started = false
	for slot, m := range h.p.rings.current {
		for _, m := range append(h.p.rings.previous[slot], m) {
			if m != nil {
				m.seg.Close()
			}
		}
	}
	for _, s := range h.slots {
		s.Close()
	}
	for _, r := range h.recs {
		r.Close()
	}
}
