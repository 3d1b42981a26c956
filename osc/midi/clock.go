package midi

import (
	"math"
	"slices"
	"time"
)

// Numbers of ticks, and durations of one tick in seconds. A tick that is randomly up to 2 ms early
// or late has a standard deviation of 1.15 ms.
const (
	ppqn          = 24       // ticks a beat (MIDI 1.0)
	minTicks      = 2 * ppqn // before the first tempo: accurate to 0.1 bpm (one standard deviation, at 120 bpm)
	maxTicks      = 4 * ppqn // in the window: accurate to 0.04 bpm
	keptTicks     = ppqn / 2 // that stay in the window when the tempo changes
	longestTick   = 0.5      // s: after a longer pause the clock restarts
	changedTick   = 0.25e-3  // s: difference between one beat and four that means a new tempo; five standard deviations
	minChange     = 0.06e-3  // s: 0.35 bpm at 120
	minRefinement = 0.05     // bpm: sent once the window has no tick of the last estimate
)

// Tempos that an engine accepts, in bpm.
const (
	slowest = 20
	fastest = 400
)

// Clock estimates the tempo of a MIDI clock. It compares each tick with the one half a window
// earlier. The median of these distances is the length of a tick, so a few delayed ticks do not
// matter.
type Clock struct {
	base    time.Time
	at      []float64 // times of the ticks, s after base
	sent    float64   // length of a tick in the last tempo sent, s; 0: none
	since   int       // ticks since the last tempo sent
	scratch [maxTicks + 1]float64
}

// Tick records a tick. ok is true if the tempo is new or has changed. bpm is from 20 to 400.
func (c *Clock) Tick(now time.Time) (bpm float64, ok bool) {
	if len(c.at) == 0 {
		c.base = now
	}
	at := now.Sub(c.base).Seconds()
	if n := len(c.at); n > 0 && (at < c.at[n-1] || at > c.at[n-1]+longestTick) {
		c.base, c.at, at = now, c.at[:0], 0
	}
	if len(c.at) > maxTicks {
		c.at = slices.Delete(c.at, 0, 1)
	}
	c.at = append(c.at, at)
	c.since++
	if len(c.at) <= minTicks {
		return 0, false
	}
	long := c.tick(c.at)
	if beat := c.at[len(c.at)-1-ppqn:]; math.Abs(c.tick(beat)-long) > changedTick {
		c.at = slices.Delete(c.at, 0, len(c.at)-1-keptTicks)
		return 0, false
	}
	bpm = 60 / (ppqn * long)
	settled := len(c.at) > maxTicks && c.since > maxTicks
	if c.sent != 0 && math.Abs(long-c.sent) < minChange && !(settled && math.Abs(bpm-60/(ppqn*c.sent)) > minRefinement) {
		return 0, false
	}
	if !(bpm >= slowest && bpm <= fastest) {
		return 0, false
	}
	c.sent, c.since = long, 0
	return bpm, true
}

// tick is the length of a tick in s.
func (c *Clock) tick(at []float64) float64 {
	half := len(at) / 2
	lengths := c.scratch[:0]
	for i := range len(at) - half {
		lengths = append(lengths, (at[i+half]-at[i])/float64(half))
	}
	slices.Sort(lengths)
	return (lengths[len(lengths)/2] + lengths[(len(lengths)-1)/2]) / 2
}

// Running reports whether a tick arrived in the last 250 ms.
func (c *Clock) Running(now time.Time) bool {
	n := len(c.at)
	return n > 0 && now.Sub(c.base).Seconds() < c.at[n-1]+longestTick/2
}

// Reset forgets the ticks, since their device is gone.
func (c *Clock) Reset() { c.at, c.sent = c.at[:0], 0 }
