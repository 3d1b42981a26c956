package filter

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Biquad is a second-order filter.
var Biquad = dsp.Desc{
	Type: "biquad",
	Doc:  "Second-order filter with the responses of the RBJ cookbook.",
	Source: "R. Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients; A. Simper, Solving " +
		"the continuous SVF equations using trapezoidal integration, 2013",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal to filter"},
		{Name: "cutoff", Unit: "oct", Doc: "octaves added to cutoff"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "filtered signal"}},
	Params: []dsp.Param{
		{Name: "mode", Min: 0, Max: 7, Names: []string{"lp", "hp", "bp", "notch", "allpass", "peak", "lowshelf", "highshelf"},
			Doc: "bp has 0 dB at the cutoff; a change is crossfaded over 5 ms"},
		{Name: "cutoff", Unit: "Hz", Min: 10, OfRate: 0.49, Default: 2000,
			Doc: "corner or centre frequency; ramped over 5 ms"},
		{Name: "q", Min: 0.1, Max: 20, Default: math.Sqrt2 / 2, Doc: "quality factor; ramped over 5 ms"},
		{Name: "gain", Unit: "dB", Min: -24, Max: 24, Default: 0,
			Doc: "gain of peak, lowshelf and highshelf; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		b := &biquad{rate: rate}
		b.cutoff.ramp.Jump(2000)
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
	biquadGain
)

// biquad mixes the input of a state-variable filter with its band-pass and low-pass. A mode
// consists of three weights and two factors on the coefficients. While the mode changes, all five
// are interpolated between those of the modes. Between modes without gain that is a crossfade of
// the outputs.
type biquad struct {
	rate    float64
	cutoff  cutoff
	q, gain dsp.Ramp
	mix     [8]dsp.Ramp // weights of the modes
	moving  uint32      // frames until all ramps have ended
	mixed   biquadShape // present mixture of the modes
	qNow    float64
	svf     svfCore
	m       [3]float64 // weights of input, band-pass and low-pass
}

func (b *biquad) Set(p int, v float64) {
	frames := dsp.RampFrames(b.rate)
	switch p {
	case biquadMode:
		dsp.Ramps(b.mix[:]).Select(v, frames)
	case biquadCutoff:
		b.cutoff.ramp.To(v, frames)
	case biquadQ:
		b.q.To(v, frames)
	case biquadGain:
		b.gain.To(v, frames)
	}
	b.moving = frames
}

func (b *biquad) Gate(bool) {}

// biquadShape is the description of a mode.
type biquadShape struct {
	g, k float64    // factors on tan(pi cutoff/rate) and on 1/Q
	m    [3]float64 // weights of the input, of the band-pass times k, and of the low-pass
}

// biquadShapeOf returns the shape of a mode, with a being the square root of the linear gain.
func biquadShapeOf(mode int, a float64) biquadShape {
	root := math.Sqrt(a)
	switch mode {
	case 0:
		return biquadShape{1, 1, [3]float64{0, 0, 1}}
	case 1:
		return biquadShape{1, 1, [3]float64{1, -1, -1}}
	case 2:
		return biquadShape{1, 1, [3]float64{0, 1, 0}}
	case 3:
		return biquadShape{1, 1, [3]float64{1, -1, 0}}
	case 4:
		return biquadShape{1, 1, [3]float64{1, -2, 0}}
	case 5:
		return biquadShape{1, 1 / a, [3]float64{1, float64(a*a) - 1, 0}}
	case 6:
		return biquadShape{1 / root, 1, [3]float64{1, a - 1, float64(a*a) - 1}}
	default:
		square := float64(a * a)
		return biquadShape{root, 1, [3]float64{square, a - square, 1 - square}}
	}
}

// blend moves all ramps but the cutoff's by a frame and mixes the modes.
func (b *biquad) blend() {
	b.qNow = b.q.Next()
	a := approx.QuickExp2(float64(b.gain.Next() * (math.Log2E * math.Ln10 / 40))) // 10^(dB/40)
	b.mixed = biquadShape{}
	for i := range b.mix {
		w := b.mix[i].Next()
		if w == 0 {
			continue
		}
		s := biquadShapeOf(i, a)
		b.mixed.g += float64(w * s.g)
		b.mixed.k += float64(w * s.k)
		for j, m := range s.m {
			b.mixed.m[j] += float64(w * m)
		}
	}
	if b.moving > 0 {
		b.moving--
	}
}

// tune computes the coefficients of a frame with oct at its input. The cutoff is prewarped.
func (b *biquad) tune(oct float32) {
	f := b.cutoff.next(oct, b.rate)
	k := limitDecay(b.mixed.k/b.qNow, float64(f*b.mixed.g))
	b.svf.tune(float64(approx.QuickTanPi(f/b.rate)*b.mixed.g), k)
	b.m = [3]float64{b.mixed.m[0], float64(b.mixed.m[1] * k), b.mixed.m[2]}
}

func (b *biquad) Render(in, outs [][]float32) {
	x, oct, out := in[0], in[1], outs[0]
	for i := range out {
		if b.moving > 0 {
			b.blend()
			b.tune(oct[i])
		} else if oct[i] != b.cutoff.oct {
			b.tune(oct[i])
		}
		out[i] = b.frame(float64(x[i]))
	}
}

func (b *biquad) frame(x float64) float32 {
	band, low := b.svf.next(x)
	y := float64(b.m[0]*x) + float64(b.m[1]*band) + float64(b.m[2]*low)
	b.svf.flush(y)
	return float32(y)
}

func (b *biquad) Reset() {
	b.cutoff.reset()
	b.q.Jump(b.q.Target())
	b.gain.Jump(b.gain.Target())
	for i := range b.mix {
		b.mix[i].Jump(b.mix[i].Target())
	}
	b.svf, b.moving = svfCore{}, 0
	b.blend()
	b.tune(0)
}

func (b *biquad) Save(e *dsp.Encoder) {
	b.cutoff.save(e)
	b.q.Save(e)
	b.gain.Save(e)
	for i := range b.mix {
		b.mix[i].Save(e)
	}
	e.Uint32(b.moving)
	b.svf.save(e)
	for _, v := range b.values() {
		e.Float64(*v)
	}
}

func (b *biquad) Restore(d *dsp.Decoder) {
	b.cutoff.restore(d)
	b.q.Restore(d)
	b.gain.Restore(d)
	for i := range b.mix {
		b.mix[i].Restore(d)
	}
	b.moving = d.Uint32()
	b.svf.restore(d)
	for _, v := range b.values() {
		*v = d.Float64()
	}
}

// values returns all other numbers of the state.
func (b *biquad) values() [9]*float64 {
	return [...]*float64{
		&b.m[0], &b.m[1], &b.m[2], &b.qNow, &b.mixed.g, &b.mixed.k, &b.mixed.m[0], &b.mixed.m[1], &b.mixed.m[2],
	}
}
