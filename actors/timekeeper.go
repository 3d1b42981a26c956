package actors

import (
	"math/rand/v2"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// The clock is looked at this often, each time a little differently: looks at an even pace could come just before
// every move of a device with that period.
const (
	lookLeast = 2 * time.Millisecond
	lookMore  = 3 * time.Millisecond
)

// timekeeper tells a timeline when the clock moves.
type timekeeper struct {
	timeline *osc.Timeline
	control  shm.Control
	block    uint64
	quit     chan struct{}
	done     chan struct{}
}

func startTimekeeper(control shm.Control, geo shm.Geometry) *timekeeper {
	k := &timekeeper{timeline: osc.NewTimeline(int(geo.Rate)), control: control, block: uint64(geo.Block), quit: make(chan struct{}), done: make(chan struct{})}
	go k.run()
	return k
}

// stop ends the looking, and waits for that.
func (k *timekeeper) stop() {
	close(k.quit)
	<-k.done
}

func (k *timekeeper) run() {
	defer close(k.done)
	wait := time.NewTimer(lookLeast)
	defer wait.Stop()
	last := k.control.Clock()
	for {
		select {
		case <-k.quit:
			return
		case <-wait.C:
		}
		clock := k.control.Clock()
		if clock != last {
			k.timeline.Observe(sys.Monotonic(), clock*k.block)
			last = clock
		}
		wait.Reset(lookLeast + rand.N(lookMore))
	}
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
