package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// A filter whose cutoff a signal moves has new coefficients every frame. The functions here are for that: one division
// each where those of approx have a dozen, and still exact to what a response can show.

// quickTan is tan(pi x) for x in [0, 0.499]. Relative error below 1e-10: Lambert's continued fraction to degree 7, on the nearer
// side of an eighth of a turn.
func quickTan(x float64) float64 {
	y, over := x, x > 0.25
	if over {
		y = 0.5 - x
	}
	y = float64(y * math.Pi)
	q := float64(y * y)
	p := float64((float64((378-q)*q)-17325)*q) + 135135
	r := float64((3150-float64(28*q))*q) - 62370
	r = float64(r*q) + 135135
	if over {
		return r / float64(p*y)
	}
	return float64(p*y) / r
}

// quickExp2 is 2^x for x in [-60, 60], to whose ends others are bent. Relative error below 1e-11: the Taylor series to degree 9 of what is
// left after the whole octaves, summed in pairs that need not wait for each other.
func quickExp2(x float64) float64 {
	switch {
	case x > 60:
		x = 60
	case x < -60:
		x = -60
	}
	whole := math.Floor(x + 0.5)
	y := float64((x - whole) * math.Ln2)
	y2 := float64(y * y)
	y4 := float64(y2 * y2)
	p := 1.0/40320 + float64(y*(1.0/362880))
	p = float64(float64(y4*y4) * p)
	p += float64(y4 * (1.0/24 + float64(y*(1.0/120)) + float64(y2*(1.0/720+float64(y*(1.0/5040))))))
	p += float64(y2 * (0.5 + float64(y*(1.0/6))))
	p += 1 + y
	return float64(p * math.Float64frombits(uint64(int64(whole)+1023)<<52))
}

// quickTanh is tanh(x), within 1e-4, and within [-1, 1] for every x: Lambert's continued fraction to degree 7, up to where it
// comes to 1. Near 0 it is as exact as anybody could hear.
func quickTanh(x float64) float64 {
	const most = 4.97
	switch {
	case x > most:
		return 1
	case x < -most:
		return -1
	}
	q := float64(x * x)
	q2 := float64(q * q)
	p := 135135 + float64(17325*q) + float64(q2*(378+q))
	r := 135135 + float64(62370*q) + float64(q2*(3150+float64(28*q)))
	return float64(p*x) / r
}

// lowestCutoff is where a modulation may take one, in Hz; the highest is highestCutoff of the rate.
const (
	lowestCutoff  = 1
	highestCutoff = 0.49
)

// filterCutoff is a cutoff in Hz that a parameter sets, ramped, and a signal moves, in octaves.
type filterCutoff struct {
	ramp dsp.Ramp
	oct  float32 // of the signal, at the last frame
}

// moves tells whether the frame that hears oct has another cutoff than the one before it.
func (t *filterCutoff) moves(oct float32) bool { return oct != t.oct || t.ramp.Moving() }

// next moves by a frame, which hears oct, and returns the cutoff.
func (t *filterCutoff) next(oct float32, rate float64) float64 {
	t.oct = oct
	f := t.ramp.Next()
	if oct != 0 {
		f = float64(f * quickExp2(float64(oct)))
	}
	return max(lowestCutoff, min(float64(highestCutoff*rate), f))
}

// reset is at the parameter's value at once, and has heard nothing.
func (t *filterCutoff) reset() {
	t.ramp.Jump(t.ramp.Target())
	t.oct = 0
}

func (t *filterCutoff) save(e *dsp.Encoder) {
	t.ramp.Save(e)
	e.Float32(t.oct)
}

func (t *filterCutoff) restore(d *dsp.Decoder) {
	t.ramp.Restore(d)
	t.oct = d.Float32()
}

// tiny is where a state counts as silence: -400 dB. Left alone it would halve on for hours as a
// denormal number and never let the node sleep.
const tiny = 1e-20

func silent(v float64) bool { return v < tiny && v > -tiny }

// svfCore is the state-variable filter by the trapezoidal rule (A. Simper, "Solving the continuous SVF equations using
// trapezoidal integration", 2013). At rest it has exactly the transfer functions of the bilinear transform;
// unlike a direct form it stays sound at 20 Hz and while its coefficients move.
type svfCore struct {
	s1, s2       float64 // integrators
	g, k, a1, a2 float64 // tan(pi cutoff/rate), 1/Q, and what follows from them
}

func (c *svfCore) tune(g, k float64) {
	c.g, c.k = g, k
	c.a1 = 1 / (1 + float64(g*(g+k)))
	c.a2 = float64(g * c.a1)
}

// next moves by a frame; the high-pass is x - k band - low.
func (c *svfCore) next(x float64) (band, low float64) {
	band = float64(c.a1*c.s1) + float64(c.a2*(x-c.s2))
	low = c.s2 + float64(c.g*band)
	c.s1 = float64(2*band) - c.s1
	c.s2 = float64(2*low) - c.s2
	return band, low
}

// hush ends a state that is faint, once y, what comes out of it, is silence. Both integrators: one of them at 0 alone would hold
// the other up for minutes.
func (c *svfCore) hush(y float64) {
	if silent(y) && silent(c.s1*1e-8) && silent(c.s2*1e-8) {
		c.s1, c.s2 = 0, 0
	}
}

// longestRing keeps k so that what rings at f in Hz falls by 400 dB within 30 s.
func longestRing(k, f float64) float64 { return max(k, 0.5/f) }

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
