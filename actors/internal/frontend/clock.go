package frontend

import (
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm/sys"
)

// clockSampler tells a timeline when the engine's clock moves.
type clockSampler struct {
	timeline *osc.Timeline
	clock    func() uint64 // blocks
	block    uint64        // frames
	last     uint64        // the clock at the last sample
	at       int64         // when that was taken, sys.Monotonic
}

// StartClock starts the timeline that time tags need. One goroutine then calls sample every few
// milliseconds; sample is nil if there is no OSC server. clock returns the next block to play.
// StartClock is called before Serve.
func (f *Frontend) StartClock(rate, block int, clock func() uint64) (sample func()) {
	if f.server == nil {
		return nil
	}
	f.timeline = osc.NewTimeline(rate)
	s := &clockSampler{timeline: f.timeline, clock: clock, block: uint64(block), last: clock(), at: sys.Monotonic()}
	return s.sample
}

func (s *clockSampler) sample() {
	clock := s.clock()
	now := sys.Monotonic()
	if clock != s.last {
		s.timeline.Observe(now, s.at, clock*s.block)
	}
	s.last, s.at = clock, now
}

// readClocks reads the wall clock and the monotonic clock. It reads three times and keeps the pair
// with the shortest gap, in case of preemption.
func readClocks() (m osc.Moment) {
	shortest := time.Duration(1 << 62)
	for range 3 {
		before := sys.Monotonic()
		wall := time.Now().UnixNano()
		after := sys.Monotonic()
		if gap := time.Duration(after - before); gap < shortest {
			shortest, m = gap, osc.Moment{Mono: before + int64(gap)/2, Wall: wall}
		}
	}
	return m
}
