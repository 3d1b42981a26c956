package osc_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// simDevice plays frames in periods of its own clock. Its observer is delayed at times.
type simDevice struct {
	rng     *rand.Rand
	rate    float64 // real rate
	period  int
	callLag float64 // ns: mean delay of callbacks
	lookLag float64 // ns: mean delay of the observer
	from    float64 // ns: time at which frame base was the next
	base    uint64
	now     float64
	seen    uint64
}

// clock is the next frame at a time. Each callback is late by a fixed amount of its own.
func (d *simDevice) clock(t float64) uint64 {
	n := int64((t - d.from) * d.rate / 1e9 / float64(d.period))
	for ; n >= 0; n-- {
		at := d.from + float64(n)*float64(d.period)*1e9/d.rate
		if at+lagOf(n)*d.callLag <= t {
			break
		}
	}
	return d.base + uint64(max(n, 0))*uint64(d.period)
}

// lagOf is exponentially distributed, of mean 1, by number.
func lagOf(n int64) float64 {
	u := float64(uint64(n)*0x9e3779b97f4a7c15>>11) / (1 << 53)
	return -math.Log(1 - u)
}

// ideal is the frame that would be next at a time with punctual callbacks.
func (d *simDevice) ideal(t float64) float64 { return float64(d.base) + (t-d.from)*d.rate/1e9 }

// run observes until a time, every 5 to 6 ms with random delays.
func (d *simDevice) run(l *osc.Timeline, until float64) {
	for d.now < until {
		before := d.now
		d.now += 5e6 + d.rng.Float64()*1.25e6 + d.rng.ExpFloat64()*d.lookLag
		if d.rng.IntN(2000) == 0 {
			d.now += 3e8 * d.rng.Float64() // the observer is preempted
		}
		if f := d.clock(d.now); f > d.seen {
			l.Observe(int64(d.now), int64(before), f)
			d.seen = f
		}
	}
}

// worst runs for a time, and asks now and then for the frame 50 ms ahead on a wall clock of its
// own. It returns the largest difference from the ideal frame.
func (d *simDevice) worst(t *testing.T, l *osc.Timeline, seconds float64, wall func(mono float64) int64) (frames float64) {
	t.Helper()
	for end := d.now + seconds*1e9; d.now < end; {
		d.run(l, d.now+37e6)
		now := osc.Moment{int64(d.now), wall(d.now)}
		frame, ahead, ok := l.Frame(osc.Tag(now.Wall+50e6), now)
		if !ok || ahead < 50*time.Millisecond-2 || ahead > 50*time.Millisecond+2 {
			t.Fatalf("at %v: %v ahead, %t", time.Duration(d.now), ahead, ok)
		}
		if behind := l.Lag(now.Mono, d.clock(d.now)); behind != 0 {
			t.Fatalf("at %v: %d frames behind", time.Duration(d.now), behind)
		}
		frames = max(frames, math.Abs(float64(frame)-d.ideal(d.now+float64(ahead))))
	}
	return frames
}

// 2026-11-24, as a wall clock that is not set again has it.
func steady(mono float64) int64 { return 1795500000e9 + int64(mono) }

// A time tag maps to within half a block of its frame, and at first to within a block, for any
// drift and period, and any delay of callbacks and observer.
func TestTimeline(t *testing.T) {
	const block = 64
	for _, tt := range []struct {
		name             string
		drift            float64
		period           int
		callLag, lookLag float64
	}{
		{"exact", 0, 64, 0, 0},
		{"fast card", 150e-6, 64, 20e3, 200e3},
		{"slow card", -250e-6, 256, 20e3, 200e3},
		{"long periods", 50e-6, 1024, 50e3, 500e3},
		{"busy machine", -50e-6, 128, 300e3, 4e6},
		{"wrong by a thousandth", 1000e-6, 128, 20e3, 200e3},
	} {
		for seed := range uint64(5) {
			d := &simDevice{rng: rand.New(rand.NewPCG(seed, 1)), rate: 48000 * (1 + tt.drift), period: tt.period, callLag: tt.callLag, lookLag: tt.lookLag, from: 7e9, now: 7e9}
			l := osc.NewTimeline(48000)
			d.run(l, d.now+1e9)
			begin := d.worst(t, l, 3, steady)
			later := d.worst(t, l, 60, steady)
			if begin > block || later > block/2 {
				t.Errorf("%s, seed %d: off by %.1f frames at first, by %.1f later", tt.name, seed, begin, later)
			}
		}
	}
}

// A step of the wall clock affects time tags at once.
func TestTimelineWallSteps(t *testing.T) {
	d := &simDevice{rng: rand.New(rand.NewPCG(3, 1)), rate: 48001, period: 128, callLag: 20e3, lookLag: 200e3}
	l := osc.NewTimeline(48000)
	d.run(l, 4e9)
	for _, step := range []float64{3600e9, -7200e9, 0.3e9, 10 * 365 * 86400e9} { // the last into the next era of NTP
		wall := func(mono float64) int64 { return steady(mono) + int64(step) }
		if off := d.worst(t, l, 1, wall); off > 64 {
			t.Errorf("after a step of %v: off by %.1f frames", time.Duration(step), off)
		}
	}
}

// After a pause, time tags map to the old line for half a second, then to the new one, even of
// another device. After a long pause the new line counts at once.
func TestTimelineDeviceChanges(t *testing.T) {
	for _, pause := range []float64{30e6, 300e6, 5e9} {
		d := &simDevice{rng: rand.New(rand.NewPCG(9, 1)), rate: 48000 * 1.0002, period: 64, callLag: 20e3, lookLag: 200e3}
		l := osc.NewTimeline(48000)
		d.run(l, 20e9)
		d.base, d.from, d.rate, d.period = d.seen, d.now+pause, 48000*0.9999, 512
		d.now += pause
		d.run(l, d.now+0.7e9)
		if off := d.worst(t, l, 1.5, steady); off > 64 {
			t.Errorf("after a pause of %v: off by %.1f frames", time.Duration(pause), off)
		}
		d.run(l, d.now+10e9) // the old device's drift is kept until the new one's is known
		if off := d.worst(t, l, 20, steady); off > 64 {
			t.Errorf("long after a pause of %v: off by %.1f frames", time.Duration(pause), off)
		}
	}
}

// The timeline knows no frame before something plays, after it has stopped, and for frames of
// another engine.
func TestTimelineStale(t *testing.T) {
	l := osc.NewTimeline(48000)
	now := osc.Moment{Wall: steady(0)}
	if _, _, ok := l.Frame(osc.Tag(now.Wall), now); ok {
		t.Error("a frame before anything plays")
	}
	for i := range int64(100) {
		l.Observe(i*64e9/48000, (i-1)*64e9/48000, uint64(i)*64)
	}
	now.Mono = 99 * 64e9 / 48000
	if f, ahead, ok := l.Frame(osc.Tag(now.Wall), now); !ok || ahead.Abs() > 1 || f < 98*64 || f > 100*64 {
		t.Errorf("frame %d, %v, %t", f, ahead, ok)
	}
	if f, _, ok := l.Frame(osc.Tag(now.Wall-int64(10*time.Second)), now); !ok || f > -470000 {
		t.Errorf("ten seconds ago: frame %d, %t", f, ok)
	}
	now.Mono += int64(2 * time.Second)
	if _, _, ok := l.Frame(osc.Tag(now.Wall), now); ok {
		t.Error("a frame though nothing has moved for two seconds")
	}
	l.Observe(now.Mono, now.Mono-1, 0)
	if _, _, ok := l.Frame(osc.Tag(now.Wall), now); ok {
		t.Error("a frame of one sight")
	}
}

// Equal observations give equal frames.
func TestTimelineIsDeterministic(t *testing.T) {
	frames := func() (list []int64) {
		d := &simDevice{rng: rand.New(rand.NewPCG(1, 1)), rate: 47999, period: 128, callLag: 20e3, lookLag: 2e6}
		l := osc.NewTimeline(48000)
		for d.now < 10e9 {
			d.run(l, d.now+50e6)
			f, _, _ := l.Frame(osc.Tag(steady(d.now)), osc.Moment{int64(d.now), steady(d.now)})
			list = append(list, f)
		}
		return list
	}
	a, b := frames(), frames()
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("%d and %d", a[i], b[i])
		}
	}
}

func TestTags(t *testing.T) {
	for wall, tag := range map[int64]uint64{
		0: osc.NTPEpoch << 32, 5e8: osc.NTPEpoch<<32 | 1<<31, -5e8: (osc.NTPEpoch-1)<<32 | 1<<31, 2085978496e9: 0, 2085978497e9: 1 << 32,
	} {
		if got := osc.Tag(wall); got != tag {
			t.Errorf("%d: %x, want %x", wall, got, tag)
		}
	}
	wall := int64(2085978496e9) - 5e8 // half a second before NTP's first era ends
	for _, d := range []time.Duration{0, time.Second, -time.Second, time.Nanosecond, -time.Hour, 60 * time.Second} {
		if got := osc.TimeUntil(osc.Tag(wall+int64(d)), wall); (got - d).Abs() > 1 {
			t.Errorf("%v: %v", d, got)
		}
	}
	if got := osc.TimeUntil(osc.Immediately, wall); got > 68*365*24*time.Hour+30*24*time.Hour {
		t.Error(got)
	}
}

func TestTimelineNoAllocs(t *testing.T) {
	l := osc.NewTimeline(48000)
	for i := range int64(20000) {
		l.Observe(i*64e9/48000, (i-1)*64e9/48000, uint64(i)*64)
	}
	now := osc.Moment{Mono: 20000 * int64(64e9) / 48000, Wall: steady(0)}
	if n := testing.AllocsPerRun(100, func() { l.Frame(osc.Tag(now.Wall+1e9), now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
