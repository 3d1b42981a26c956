package stream

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// guard is the last thing that all sound passes. Sound that is as it should be passes it bit for bit. What would
// damage ears or loudspeakers does not: no sample is above 1 in magnitude, and a steady offset is taken away.
type guard struct {
	gain float64    // of the limiter: falls at once, comes back over a second; 1: it does nothing
	mean [2]float64 // of what came in, left and right, a one-pole filter at meanHz
	wet  float64    // how much of the mean is taken away, [0, 1]; moves over wetSeconds
	held bool       // a mean has been above dcMost, and not under dcLeast since

	back, follow, move float64 // a frame's step of gain, mean and wet

	limited uint64 // blocks in which the limiter acted
	offset  uint64 // blocks in which an offset was taken away
}

const (
	dcMost, dcLeast = 0.25, 0.02 // of full scale
	meanHz          = 0.5
	wetSeconds      = 0.05
	backSeconds     = 0.2
)

// atRest is how near 1 the limiter's gain is taken for 1, so that sound passes bit for bit again.
const atRest = 1 - 1e-6

// tinyMean is where the mean of silence ends, long before it would be a denormal number.
const tinyMean = 1e-12

func newGuard(rate float64) guard {
	return guard{gain: 1, back: 1 / (backSeconds * rate), follow: 2 * math.Pi * meanHz / rate, move: 1 / (wetSeconds * rate)}
}

// pass guards a piece of the mix in place. Both channels have one gain, so that nothing moves to a side.
func (g *guard) pass(left, right []float32) {
	for i := range left {
		left[i], right[i] = g.frame(float64(left[i]), float64(right[i]))
	}
}

func (g *guard) frame(left, right float64) (l, r float32) {
	most := 0.0
	for c, x := range [2]float64{left, right} {
		g.mean[c] += float64(g.follow * (max(-1, min(1, x)) - g.mean[c])) // a short burst of any size leaves little
		m := math.Abs(g.mean[c])
		if m < tinyMean {
			g.mean[c] = 0
		}
		most = max(most, m)
	}
	switch {
	case most > dcMost:
		g.held = true
	case most < dcLeast:
		g.held = false
	}
	switch {
	case g.held && g.wet < 1:
		g.wet = min(1, g.wet+g.move)
	case !g.held && g.wet > 0:
		g.wet = max(0, g.wet-g.move)
	}
	if g.wet > 0 {
		left -= float64(g.wet * g.mean[0])
		right -= float64(g.wet * g.mean[1])
	}
	if g.gain < 1 {
		if g.gain += float64(g.back * (1 - g.gain)); g.gain > atRest {
			g.gain = 1
		}
	}
	if over := float64(max(math.Abs(left), math.Abs(right)) * g.gain); over > 1 {
		g.gain /= over
	}
	l, r = float32(float64(left*g.gain)), float32(float64(right*g.gain))
	return max(-1, min(1, l)), max(-1, min(1, r)) // the division may round the wrong way
}

// count is called after each block.
func (g *guard) count() {
	if g.gain < 1 {
		g.limited++
	}
	if g.wet > 0 {
		g.offset++
	}
}

func (g *guard) save(e *dsp.Encoder) {
	e.Float64(g.gain)
	e.Float64(g.mean[0])
	e.Float64(g.mean[1])
	e.Float64(g.wet)
	e.Bool(g.held)
	e.Uint64(g.limited)
	e.Uint64(g.offset)
}

func (g *guard) restore(d *dsp.Decoder) {
	g.gain, g.mean[0], g.mean[1], g.wet, g.held = d.Float64(), d.Float64(), d.Float64(), d.Float64(), d.Bool()
	g.limited, g.offset = d.Uint64(), d.Uint64()
}
