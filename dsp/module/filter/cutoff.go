// Package filter has the modules that filter sound or resonate.
package filter

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Modulation is limited to these cutoffs.
const (
	lowestCutoff  = 1    // Hz
	highestCutoff = 0.49 // part of the rate
)

// cutoff is a cutoff frequency in Hz that a parameter sets with a ramp and a signal moves in
// octaves.
type cutoff struct {
	ramp dsp.Ramp
	oct  float32 // the signal at the last frame
}

// moves reports whether a frame with oct at its input has another cutoff than the last frame.
func (t *cutoff) moves(oct float32) bool { return oct != t.oct || t.ramp.Moving() }

// next moves by a frame with oct at its input and returns the cutoff.
func (t *cutoff) next(oct float32, rate float64) float64 {
	t.oct = oct
	f := t.ramp.Next()
	if oct != 0 {
		f = float64(f * approx.QuickExp2(float64(oct)))
	}
	return max(lowestCutoff, min(float64(highestCutoff*rate), f))
}

// reset sets the cutoff to the parameter's value, without a signal.
func (t *cutoff) reset() {
	t.ramp.Jump(t.ramp.Target())
	t.oct = 0
}

func (t *cutoff) save(e *dsp.Encoder) {
	t.ramp.Save(e)
	e.Float32(t.oct)
}

func (t *cutoff) restore(d *dsp.Decoder) {
	t.ramp.Restore(d)
	t.oct = d.Float32()
}
