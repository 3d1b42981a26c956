package frontend

import (
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm/sys"
)

// ClockSampler tells a timeline when the engine's clock moves.
type ClockSampler struct {
	timeline *osc.Timeline
	clock    func() uint64 // blocks
	block    uint64        // frames
	last     uint64        // the clock at the last sample
	at       int64         // when that was taken, sys.Monotonic
}

// StartClock returns a sampler for the time tags of messages; nil if there is no OSC server. clock
// returns the next block to play. It is called before Serve.
func (f *Frontend) StartClock(rate, block int, clock func() uint64) *ClockSampler {
	if f.server == nil {
		return nil
	}
	f.timeline = osc.NewTimeline(rate)
	return &ClockSampler{timeline: f.timeline, clock: clock, block: uint64(block), last: clock(), at: sys.Monotonic()}
}

// Sample reads the clock. One goroutine calls it, every few milliseconds. A nil sampler does
// nothing.
func (s *ClockSampler) Sample() {
	if s == nil {
		return
	}
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
