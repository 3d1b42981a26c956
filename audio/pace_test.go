package audio

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
)

// A pacer does not drift by rounding or overflow: after a hundred days of odd periods it is due on
// the nanosecond.
func TestPacerDoesNotDrift(t *testing.T) {
	const seconds = 100 * 24 * 3600
	for _, p := range []*Pacer{{Rate: 48000, Period: 64}, {Rate: 44100, Period: 100}, {Rate: 384000, Period: 8192}} {
		n := seconds * int64(p.Rate) / int64(p.Period) // divisible
		if got := p.after(n); got != seconds*1e9 {
			t.Errorf("%d periods of %d frames at %d Hz take %d ns, want %d s", n, p.Period, p.Rate, got, seconds)
		}
	}
}

// paced runs a pacer with periods of 1 ms by a clock of its own. Each tick takes the milliseconds
// in took. paced returns when each tick began and until when the pacer slept, in ms.
func paced(took ...float64) (began, slept []float64, xruns uint64) {
	const origin = int64(5e9)
	now := origin
	ms := func(at int64) float64 { return float64(at-origin) / 1e6 }
	p := &Pacer{Rate: 48000, Period: 48, quit: make(chan struct{})}
	p.now = func() int64 { return now }
	p.sleep = func(at int64) {
		slept = append(slept, ms(at))
		now = max(now, at)
	}
	p.Tick = func() {
		began = append(began, ms(now))
		now += int64(took[len(began)-1] * 1e6)
		if len(began) == len(took) {
			close(p.quit)
		}
	}
	p.run()
	return began, slept, p.Xruns()
}

// Deadlines are absolute: long ticks and small delays do not move later deadlines.
func TestPacerIsAbsolute(t *testing.T) {
	began, slept, xruns := paced(0, 0.9, 0, 1.5, 0.5, 0, 2, 0, 0)
	if want := []float64{0, 1, 2, 3, 4.5, 5, 6, 8, 8}; !slices.Equal(began, want) {
		t.Errorf("ticks at %v ms, want %v", began, want)
	}
	if want := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(slept, want) || xruns != 0 {
		t.Errorf("slept until %v ms, want %v; %d xruns", slept, want, xruns)
	}
}

// A pacer that is late by more than a period skips and counts the missed periods, and goes on from
// now.
func TestPacerLetsGo(t *testing.T) {
	began, slept, xruns := paced(0, 4.5, 0, 0, 3, 0)
	if want := []float64{0, 1, 5.5, 6.5, 7.5, 10.5}; !slices.Equal(began, want) {
		t.Errorf("ticks at %v ms, want %v", began, want)
	}
	if want := []float64{1, 6.5, 7.5, 11.5}; !slices.Equal(slept, want) {
		t.Errorf("slept until %v ms, want %v", slept, want)
	}
	if xruns != 3+2 {
		t.Errorf("%d xruns, want 3 and 2", xruns)
	}
}

// Stop returns after the last tick, and a pacer can start again.
func TestPacerStops(t *testing.T) {
	var busy atomic.Bool
	ticks := make(chan struct{}, 1)
	p := &Pacer{Rate: 48000, Period: 8, Tick: func() {
		busy.Store(true)
		for range 1000 {
			runtime.Gosched()
		}
		busy.Store(false)
		select {
		case ticks <- struct{}{}:
		default:
		}
	}}
	p.Stop() // not started yet
	for range 20 {
		p.Start()
		<-ticks
		p.Stop()
		if busy.Load() {
			t.Fatal("Stop has returned in the middle of a tick")
		}
		select {
		case <-ticks:
		default:
		}
	}
}
