package midi

import (
	"math"
	"slices"
	"time"
)

// The clock's measures, in ticks and in seconds of a tick's length. A tick that comes at random up to 2 ms early or late has a standard deviation of 1.15 ms.
const (
	ppqn          = 24       // ticks a beat (MIDI 1.0)
	minTicks      = 2 * ppqn // before a tempo is told: it is then right to 0.1 bpm (one standard deviation, at 120 bpm)
	maxTicks      = 4 * ppqn // looked back at: right to 0.04 bpm
	keptTicks     = ppqn / 2 // of those heard, when the tempo has changed
	longestTick   = 0.5      // s: after a longer rest the clock begins anew
	changedTick   = 0.25e-3  // s: by which a beat differs from four if the tempo has changed; five standard deviations of a beat
	minChange     = 0.06e-3  // s: 0.35 bpm at 120
	minRefinement = 0.05     // bpm: told once a look back is over that has none of the ticks of the one before
)

// The tempos that an engine takes, in bpm.
const (
	slowest = 20
	fastest = 400
)

// Clock estimates the tempo of a MIDI clock. Each tick is compared with the one half a look back before it; the median of those
// is the tick's length, so that a few ticks that were held up anywhere do not count.
type Clock struct {
	base    time.Time
	at      []float64 // of the ticks, s after base
	sent    float64   // length of a tick, s; 0: nothing was told
	since   int       // ticks since then
	scratch [maxTicks + 1]float64
}

// Tick takes the time of a tick. When there is a tempo to tell, the first or one that has changed, ok is true; bpm is from 20 to 400.
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

// tick is the length of a tick, in s.
func (c *Clock) tick(at []float64) float64 {
	half := len(at) / 2
	lengths := c.scratch[:0]
	for i := range len(at) - half {
		lengths = append(lengths, (at[i+half]-at[i])/float64(half))
	}
	slices.Sort(lengths)
	return (lengths[len(lengths)/2] + lengths[(len(lengths)-1)/2]) / 2
}

// Running tells whether a tick came a short time ago.
func (c *Clock) Running(now time.Time) bool {
	n := len(c.at)
	return n > 0 && now.Sub(c.base).Seconds() < c.at[n-1]+longestTick/2
}

// Reset forgets the ticks: the device that made them is gone.
func (c *Clock) Reset() { c.at, c.sent = c.at[:0], 0 }
