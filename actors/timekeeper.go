package actors

import (
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// timekeeper tells a timeline when the clock moves. The watcher looks, since it is awake anyway.
type timekeeper struct {
	timeline *osc.Timeline
	control  shm.Control
	block    uint64
	last     uint64 // clock at the last look
	at       int64  // when that was, sys.Monotonic
}

func newTimekeeper(control shm.Control, geo shm.Geometry) *timekeeper {
	return &timekeeper{timeline: osc.NewTimeline(int(geo.Rate)), control: control, block: uint64(geo.Block), last: control.Clock(), at: sys.Monotonic()}
}

// look is for one goroutine. A nil timekeeper does nothing.
func (k *timekeeper) look() {
	if k == nil {
		return
	}
	clock := k.control.Clock()
	now := sys.Monotonic()
	if clock != k.last {
		k.timeline.Observe(now, k.at, clock*k.block)
	}
	k.last, k.at = clock, now
}

// moment reads both clocks. Whoever is kept between two reads reads again: of three the closest counts.
func moment() (m osc.Moment) {
	least := time.Duration(1 << 62)
	for range 3 {
		before := sys.Monotonic()
		wall := time.Now().UnixNano()
		after := sys.Monotonic()
		if apart := time.Duration(after - before); apart < least {
			least, m = apart, osc.Moment{Mono: before + int64(apart)/2, Wall: wall}
		}
	}
	return m
}
