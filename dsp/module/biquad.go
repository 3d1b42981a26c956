package module

import (
	"math"
	"math/cmplx"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Biquad is a second-order filter.
var Biquad = dsp.Desc{
	Type:   "biquad",
	Doc:    "Second-order low-pass, high-pass or band-pass, with the responses of the RBJ cookbook.",
	Inputs: []dsp.Port{{Name: "in", Doc: "what is filtered"}},
	Output: dsp.Port{Name: "out", Doc: "filtered"},
	Params: []dsp.Param{
		{Name: "mode", Min: 0, Max: 2, Names: []string{"lp", "hp", "bp"}, Doc: "bp has 0 dB at the cutoff; a change is crossfaded over 5 ms"},
		{Name: "cutoff", Unit: "Hz", Min: 10, OfRate: 0.49, Default: 2000, Doc: "corner or centre frequency; ramped over 5 ms"},
		{Name: "q", Min: 0.1, Max: 20, Default: math.Sqrt2 / 2, Doc: "quality factor; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		b := &biquad{rate: rate}
		b.cutoff.Jump(2000)
		b.q.Jump(math.Sqrt2 / 2)
		b.mix[0].Jump(1)
		b.Reset()
		return b
	},
}

const (
	biquadMode = iota
	biquadCutoff
	biquadQ
)

// tiny is where a state counts as silence: -400 dB. Left alone it would halve on for hours as a
// denormal number and never let the node sleep.
const tiny = 1e-20

// biquad is the state-variable filter by the trapezoidal rule (A. Simper, "Solving the
// continuous SVF equations using trapezoidal integration", 2013). At rest it has exactly the cookbook's
// transfer functions; unlike a direct form it stays sound at 20 Hz and while its coefficients move.
type biquad struct {
	rate      float64
	cutoff, q dsp.Ramp
	mix       [3]dsp.Ramp // of low, high and band
	s1, s2    float64     // integrators
	a1, a2, k float64     // coefficients for the present cutoff and q
	g         float64
}

func (b *biquad) Set(p int, v float64) {
	frames := dsp.RampFrames(b.rate)
	switch p {
	case biquadMode:
		for i := range b.mix {
			b.mix[i].To(weight(i, v), frames)
		}
	case biquadCutoff:
		b.cutoff.To(v, frames)
	case biquadQ:
		b.q.To(v, frames)
	}
}

func weight(i int, mode float64) float64 {
	if float64(i) == mode {
		return 1
	}
	return 0
}

func (b *biquad) Gate(bool) {}

// tune computes the coefficients. The cutoff is warped so that it is where it should be in the digital filter.
func (b *biquad) tune(cutoff, q float64) {
	b.g = approx.TanPi(cutoff / b.rate)
	b.k = 1 / q
	b.a1 = 1 / (1 + float64(b.g*(b.g+b.k)))
	b.a2 = float64(b.g * b.a1)
}

func (b *biquad) Render(in [][]float32, out []float32) {
	x := in[0]
	for i := range out {
		if b.cutoff.Moving() || b.q.Moving() {
			b.tune(b.cutoff.Next(), b.q.Next())
		}
		out[i] = b.frame(float64(x[i]))
	}
}

func (b *biquad) frame(x float64) float32 {
	v3 := x - b.s2
	band := float64(b.a1*b.s1) + float64(b.a2*v3)
	low := b.s2 + float64(b.g*band)
	b.s1 = float64(2*band) - b.s1
	b.s2 = float64(2*low) - b.s2
	if silent(b.s1) && silent(b.s2) { // both: one of them at 0 alone would hold the other up for minutes
		b.s1, b.s2 = 0, 0
	}
	full := float64(b.k * band)
	high := x - full - low
	y := float64(b.mix[0].Next()*low) + float64(b.mix[1].Next()*high)
	return float32(y + float64(b.mix[2].Next()*full))
}

func silent(v float64) bool { return v < tiny && v > -tiny }

func (b *biquad) Reset() {
	b.cutoff.Jump(b.cutoff.Target())
	b.q.Jump(b.q.Target())
	for i := range b.mix {
		b.mix[i].Jump(b.mix[i].Target())
	}
	b.s1, b.s2 = 0, 0
	b.tune(b.cutoff.Target(), b.q.Target())
}

func (b *biquad) Save(e *dsp.Encoder) {
	b.cutoff.Save(e)
	b.q.Save(e)
	for i := range b.mix {
		b.mix[i].Save(e)
	}
	for _, v := range [...]float64{b.s1, b.s2, b.a1, b.a2, b.k, b.g} {
		e.Float64(v)
	}
}

func (b *biquad) Restore(d *dsp.Decoder) {
	b.cutoff.Restore(d)
	b.q.Restore(d)
	for i := range b.mix {
		b.mix[i].Restore(d)
	}
	for _, v := range [...]*float64{&b.s1, &b.s2, &b.a1, &b.a2, &b.k, &b.g} {
		*v = d.Float64()
	}
}

// BiquadResponse is the filter's transfer function at freq in Hz, by R. Bristow-Johnson's "Cookbook
// formulae for audio EQ biquad filter coefficients": what Render must measure.
func BiquadResponse(mode int, cutoff, q, freq, rate float64) complex128 {
	w := 2 * math.Pi * cutoff / rate
	alpha, cosw := math.Sin(w)/(2*q), math.Cos(w)
	var b0, b1, b2 float64
	switch mode {
	case 0:
		b0, b1, b2 = (1-cosw)/2, 1-cosw, (1-cosw)/2
	case 1:
		b0, b1, b2 = (1+cosw)/2, -(1 + cosw), (1+cosw)/2
	default:
		b0, b1, b2 = alpha, 0, -alpha
	}
	z := cmplx.Exp(complex(0, -2*math.Pi*freq/rate))
	return (complex(b0, 0) + complex(b1, 0)*z + complex(b2, 0)*z*z) /
		(complex(1+alpha, 0) + complex(-2*cosw, 0)*z + complex(1-alpha, 0)*z*z)
}
