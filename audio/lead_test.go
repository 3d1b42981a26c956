package audio

import (
	"runtime"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// A burst is what the device takes before a worker can answer, in any number of calls.
func TestDemand(t *testing.T) {
	const second = int64(time.Second)
	for _, c := range []struct {
		name   string
		calls  []int // frames of each call in a burst, which come at once
		every  int64 // nanoseconds from burst to burst
		bursts int
		want   int
	}{
		{"a period at a time", []int{64}, second * 64 / 48000, 100, 64},
		{"a long period", []int{2048}, second * 2048 / 48000, 10, 2048},
		{"a long period in short calls", []int{104, 104, 104, 104, 104, 104, 104, 104, 104, 88}, second * 1024 / 48000, 10, 1024},
		{"two short periods in the time of an answer", []int{16}, second * 16 / 48000, 100, 32},
	} {
		var d demand
		got, now := 0, int64(1)
		for range c.bursts {
			for i, frames := range c.calls {
				got = d.record(now+int64(i)*20_000, frames)
			}
			now += c.every
		}
		if got != c.want {
			t.Errorf("%s: %d frames, want %d", c.name, got, c.want)
		}
	}
}

// A burst is remembered for at least 10 s, and at most 20 s.
func TestDemandForgets(t *testing.T) {
	var d demand
	now := int64(time.Hour)
	d.record(now, 2048)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{time.Second, 2048}, {9 * time.Second, 2048}, {11 * time.Second, 2048}, {19 * time.Second, 2048}, {21 * time.Second, 64}} {
		if got := d.record(now+int64(c.after), 64); got != c.want {
			t.Errorf("after %v: %d frames, want %d", c.after, got, c.want)
		}
	}
}

func newLead(asked, limit uint64) *leadControl {
	l := &leadControl{frames: 64, guard: 2, limit: limit, asked: asked, current: 4}
	l.demand.spanEnd = int64(demandSpan)
	return l
}

// The lead rises at once if the device needs more, and falls by a block at a time if it needs less.
func TestLeadFollowsTheDevice(t *testing.T) {
	for _, c := range []struct {
		name         string
		asked, limit uint64
		frames       int
		want         uint64
	}{
		{"one block", 0, 512, 64, 4},
		{"two blocks", 0, 512, 100, 6},
		{"32 blocks", 0, 512, 2048, 66},
		{"asked for more", 9, 512, 64, 9},
		{"asked for too little", 8, 512, 512, 18},
		{"more than the rings hold", 0, 16, 2048, 16},
	} {
		l := newLead(c.asked, c.limit)
		if got := l.update(1e9, c.frames); got != c.want {
			t.Errorf("%s: lead %d, want %d", c.name, got, c.want)
		}
	}
	l := newLead(0, 512)
	l.update(1e9, 2048)
	now := int64(1e9) + 2*int64(demandSpan)
	last, calls := uint64(66), 0
	for l.current > 4 && calls < 10000 {
		now += int64(time.Second) * 64 / 48000
		if got := l.update(now, 64); last-got > 1 {
			t.Fatalf("the lead fell from %d to %d in one call", last, got)
		}
		last = l.current
		calls++
	}
	if l.current != 4 || calls < 62 {
		t.Errorf("lead %d after %d calls", l.current, calls)
	}
}

// A late worker raises the lead at once. After minutes without one the lead falls, a block at a
// time. A lead that the user asked for is fixed.
func TestLeadIsAJitterBuffer(t *testing.T) {
	now := int64(time.Hour)
	l := newLead(0, 512)
	l.update(now, 64)
	if got := l.extend(now, 3); got != 7 {
		t.Fatalf("lead %d, want 7", got)
	}
	for range 200 {
		l.extend(now, 5)
	}
	if most := uint64(4 + extraLimit/64); l.current != most {
		t.Errorf("lead %d, want %d at the most", l.current, most)
	}
	for _, c := range []struct {
		after time.Duration
		want  uint64
	}{{calmTime - time.Second, 36}, {calmTime, 35}, {calmTime + time.Second, 35}, {calmTime + extraStep, 34}, {calmTime + 2*extraStep, 33}} {
		if got := l.update(now+int64(c.after), 64); got != c.want {
			t.Errorf("after %v: lead %d, want %d", c.after, got, c.want)
		}
	}
	fixed := newLead(6, 512)
	fixed.update(now, 64)
	if got := fixed.extend(now, 3); got != 6 {
		t.Errorf("a lead of 6 that was asked for became %d", got)
	}
}

// Blocks are ready for a longer period that was announced: nothing is concealed, and nothing
// overruns.
func TestPrepare(t *testing.T) {
	s := newStageOf(t, shm.Geometry{Rate: 48000, Block: testBlock, Channels: 2, Slots: 2, Ring: 64, Guard: 2}, 2)
	for at := 0; at < 10*testBlock; at += testBlock {
		s.fillUp(0)
		s.fillUp(1)
		s.continues(s.play(testBlock), at)
	}
	there := make(chan uint64) // blocks, when Prepare returns
	go func() {
		s.player.Prepare(16 * testBlock)
		there <- s.journal.Published(0) - s.control.Clock()
	}()
	for s.control.Lead() < 34 {
		runtime.Gosched()
	}
	for range 1000 {
		runtime.Gosched() // a Prepare that does not wait returns now
	}
	s.fillUp(0)
	s.fillUp(1)
	if n := <-there; n != 34 {
		t.Errorf("%d blocks are there, want 34", n)
	}
	s.continues(s.play(16*testBlock), 10*testBlock)
	if c := s.control.Counters(); c.Concealed != 0 || c.Overruns != 0 || c.Flips != 0 || s.control.Lead() != 34 {
		t.Errorf("%+v, lead %d", c, s.control.Lead())
	}
}
