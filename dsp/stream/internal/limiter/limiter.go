// Package limiter protects ears and loudspeakers at the end of the signal path. Sound at or below
// full scale, without a steady offset, passes bit for bit.
package limiter

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// Limiter limits a stereo signal to magnitude 1 and removes a steady offset. One goroutine uses it.
type Limiter struct {
	gain     float64    // falls at once, recovers with a time constant of recoverySeconds; 1 is inactive
	mean     [2]float64 // of the input, left and right: a one-pole low-pass filter at meanHz
	wet      float64    // part of the mean that is subtracted, 0 to 1; moves over wetSeconds
	removing bool       // a mean rose above offsetOn, and none has fallen below offsetOff since

	gainStep, meanStep, wetStep float64 // a frame

	limited uint64 // blocks in which the gain was below 1
	offset  uint64 // blocks in which an offset was removed
}

const (
	offsetOn, offsetOff = 0.25, 0.02 // of full scale
	meanHz              = 0.5
	wetSeconds          = 0.05
	recoverySeconds     = 0.2
)

// unityGain is the gain from which the limiter jumps to exactly 1, so that sound passes bit for
// bit.
const unityGain = 1 - 1e-6

// meanFloor is where a decaying mean becomes 0, long before it would be a denormal number.
const meanFloor = 1e-12

// New makes an inactive limiter for a rate in Hz.
func New(rate float64) Limiter {
	return Limiter{
		gain: 1, gainStep: 1 / (recoverySeconds * rate),
		meanStep: 2 * math.Pi * meanHz / rate, wetStep: 1 / (wetSeconds * rate),
	}
}

// Process limits frames in place. Both channels get one gain, so that the stereo image stays.
func (l *Limiter) Process(left, right []float32) {
	for i := range left {
		left[i], right[i] = l.frame(float64(left[i]), float64(right[i]))
	}
}

func (l *Limiter) frame(left, right float64) (float32, float32) {
	largest := 0.0
	for c, x := range [2]float64{left, right} {
		// The clamp keeps a short burst of any size from moving the mean much.
		l.mean[c] += float64(l.meanStep * (max(-1, min(1, x)) - l.mean[c]))
		m := math.Abs(l.mean[c])
		if m < meanFloor {
			l.mean[c] = 0
		}
		largest = max(largest, m)
	}
	switch {
	case largest > offsetOn:
		l.removing = true
	case largest < offsetOff:
		l.removing = false
	}
	switch {
	case l.removing && l.wet < 1:
		l.wet = min(1, l.wet+l.wetStep)
	case !l.removing && l.wet > 0:
		l.wet = max(0, l.wet-l.wetStep)
	}
	if l.wet > 0 {
		left -= float64(l.wet * l.mean[0])
		right -= float64(l.wet * l.mean[1])
	}
	if l.gain < 1 {
		if l.gain += float64(l.gainStep * (1 - l.gain)); l.gain > unityGain {
			l.gain = 1
		}
	}
	if over := float64(max(math.Abs(left), math.Abs(right)) * l.gain); over > 1 {
		l.gain /= over
	}
	x, y := float32(float64(left*l.gain)), float32(float64(right*l.gain))
	return max(-1, min(1, x)), max(-1, min(1, y)) // the division may round upwards
}

// CountBlock counts a block after its last frame.
func (l *Limiter) CountBlock() {
	if l.gain < 1 {
		l.limited++
	}
	if l.wet > 0 {
		l.offset++
	}
}

// Blocks returns the number of blocks that were limited, and of those with an offset removed.
func (l *Limiter) Blocks() (limited, offset uint64) { return l.limited, l.offset }

// Save appends the limiter's state.
func (l *Limiter) Save(e *dsp.Encoder) {
	e.Float64(l.gain)
	e.Float64(l.mean[0])
	e.Float64(l.mean[1])
	e.Float64(l.wet)
	e.Bool(l.removing)
	e.Uint64(l.limited)
	e.Uint64(l.offset)
}

// Restore reads a state that Save wrote.
func (l *Limiter) Restore(d *dsp.Decoder) {
	l.gain, l.mean[0], l.mean[1], l.wet, l.removing = d.Float64(), d.Float64(), d.Float64(), d.Float64(), d.Bool()
	l.limited, l.offset = d.Uint64(), d.Uint64()
}
