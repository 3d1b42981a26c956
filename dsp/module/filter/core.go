package filter

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// svfCore is a state-variable filter by the trapezoidal rule (A. Simper, "Solving the continuous
// SVF equations using trapezoidal integration", 2013). With constant coefficients it has exactly
// the transfer functions of the bilinear transform. Unlike a direct form it stays accurate at 20
// Hz, and stable while its coefficients move.
type svfCore struct {
	s1, s2       float64 // integrators
	g, k, a1, a2 float64 // tan(pi cutoff/rate), 1/Q, and two coefficients computed from these
}

func (c *svfCore) tune(g, k float64) {
	c.g, c.k = g, k
	c.a1 = 1 / (1 + float64(g*(g+k)))
	c.a2 = float64(g * c.a1)
}

// next filters a frame. The high-pass is x - k*band - low.
func (c *svfCore) next(x float64) (band, low float64) {
	band = float64(c.a1*c.s1) + float64(c.a2*(x-c.s2))
	low = c.s2 + float64(c.g*band)
	c.s1 = float64(2*band) - c.s1
	c.s2 = float64(2*low) - c.s2
	return band, low
}

// flush sets a faint state to 0 if the output y is silent. It clears both integrators together:
// one of them at 0 would slow the decay of the other to minutes.
func (c *svfCore) flush(y float64) {
	if signal.Silent(y) && signal.Silent(c.s1*1e-8) && signal.Silent(c.s2*1e-8) {
		c.s1, c.s2 = 0, 0
	}
}

// limitDecay limits the damping k so that a resonance at f in Hz falls by 400 dB within 30 s.
func limitDecay(k, f float64) float64 { return max(k, 0.5/f) }

func (c *svfCore) save(e *dsp.Encoder) {
	for _, v := range [...]float64{c.s1, c.s2, c.g, c.k, c.a1, c.a2} {
		e.Float64(v)
	}
}

func (c *svfCore) restore(d *dsp.Decoder) {
	for _, v := range [...]*float64{&c.s1, &c.s2, &c.g, &c.k, &c.a1, &c.a2} {
		*v = d.Float64()
	}
}
