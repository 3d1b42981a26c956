package effect

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// EQ is a tone control in three bands.
var EQ = dsp.Desc{
	Type: "eq",
	Doc: "Equalizer with a low shelf, a peak and a high shelf, which have the responses of the RBJ cookbook. " +
		"At 0 dB every bit passes.",
	Source: "A. Simper, Solving the continuous SVF equations using trapezoidal integration, 2013; R. " +
		"Bristow-Johnson, Cookbook formulae for audio EQ",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "dry signal"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "dry and filtered signal, by mix"}},
	Params:  eqParams,
	New: func(rate float64) dsp.Module {
		q := &eq{rate: rate}
		dsp.Ramps(q.p[:]).Defaults(eqParams)
		q.Reset()
		return q
	},
}

var eqParams = []dsp.Param{
	{Name: "lowfreq", Unit: "Hz", Min: 20, Max: 2000, Default: 150,
		Doc: "middle of the low shelf's slope; ramped over 20 ms"},
	{Name: "lowgain", Unit: "dB", Min: -24, Max: 24, Default: 0, Doc: "gain of the low shelf; ramped over 20 ms"},
	{Name: "midfreq", Unit: "Hz", Min: 20, OfRate: 0.45, Default: 1000,
		Doc: "centre frequency of the peak; ramped over 20 ms"},
	{Name: "midgain", Unit: "dB", Min: -24, Max: 24, Default: 0, Doc: "gain of the peak; ramped over 20 ms"},
	{Name: "midq", Min: 0.1, Max: 20, Default: 1, Doc: "quality factor of the peak; ramped over 20 ms"},
	{Name: "highfreq", Unit: "Hz", Min: 200, OfRate: 0.45, Default: 5000,
		Doc: "middle of the high shelf's slope; ramped over 20 ms"},
	{Name: "highgain", Unit: "dB", Min: -24, Max: 24, Default: 0, Doc: "gain of the high shelf; ramped over 20 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 1, Doc: "0 is the input, 1 the filtered signal; ramped over 5 ms"},
}

const (
	eqLowFreq = iota
	eqLowGain
	eqMidFreq
	eqMidGain
	eqMidQ
	eqHighFreq
	eqHighGain
	eqMix
	eqCount
)

// eqSeconds is the length of a ramp of the coefficients, in s. A shorter one would click with a
// peak of low Q.
const eqSeconds = 0.02

// The coefficients of a band that have ramps.
const (
	eqG   = iota // warped frequency
	eqK          // damping
	eqDry        // weight of the input; the next are those of the band-pass and the low-pass
	eqBandPass
	eqLowPass
)

// eqBand is a trapezoidal state-variable filter whose output is a weighted sum of its input,
// band-pass and low-pass. The ramps are those of coefficients, not of parameters: a linear ramp of
// Q would end in a jump of the damping.
type eqBand struct {
	to               [5]dsp.Ramp
	g, a1, a2        float64
	dry, band, low   float64
	s1left, s2left   float64 // integrators
	s1right, s2right float64
}

// set starts the ramps of the coefficients.
func (b *eqBand) set(frames uint32, v [5]float64) {
	for i := range v {
		b.to[i].To(v[i], frames)
	}
}

func (b *eqBand) moving() bool {
	return b.to[eqG].Moving() || b.to[eqK].Moving() || b.to[eqDry].Moving() ||
		b.to[eqBandPass].Moving() || b.to[eqLowPass].Moving()
}

func (b *eqBand) move() {
	g, k := b.to[eqG].Next(), b.to[eqK].Next()
	b.g = g
	b.a1 = 1 / (1 + float64(g*(g+k)))
	b.a2 = float64(g * b.a1)
	b.dry, b.band, b.low = b.to[eqDry].Next(), b.to[eqBandPass].Next(), b.to[eqLowPass].Next()
}

func (b *eqBand) frame(l, r float64) (float64, float64) {
	l = b.channel(l, &b.s1left, &b.s2left)
	return l, b.channel(r, &b.s1right, &b.s2right)
}

func (b *eqBand) channel(x float64, s1, s2 *float64) float64 {
	v3 := x - *s2
	band := float64(b.a1**s1) + float64(b.a2*v3)
	low := *s2 + float64(b.g*band)
	*s1, *s2 = float64(2*band)-*s1, float64(2*low)-*s2
	if signal.Silent(*s1) && signal.Silent(*s2) {
		*s1, *s2 = 0, 0
	}
	return float64(b.dry*x) + float64(b.band*band) + float64(b.low*low)
}

type eq struct {
	rate float64
	p    [eqCount]dsp.Ramp
	band [3]eqBand
}

func (q *eq) Set(p int, v float64) {
	frames := max(1, uint32(eqSeconds*q.rate))
	switch p {
	case eqMix:
		q.p[p].To(v, dsp.RampFrames(q.rate))
		return
	case eqLowFreq, eqLowGain, eqMidFreq, eqMidGain, eqMidQ, eqHighFreq, eqHighGain:
		q.p[p].Jump(v)
	}
	switch p {
	case eqLowFreq, eqLowGain:
		q.lowShelf(frames)
	case eqMidFreq, eqMidGain, eqMidQ:
		q.peak(frames)
	case eqHighFreq, eqHighGain:
		q.highShelf(frames)
	}
}

func (q *eq) Gate(bool) {}

// warped returns a frequency parameter, prewarped for the trapezoidal rule.
func (q *eq) warped(p int) float64 {
	return approx.TanPi(signal.Clamp(q.p[p].Target()/q.rate, 0, 0.49))
}

// root returns the square root of a gain parameter: the cookbook's A.
func (q *eq) root(p int) float64 { return approx.Gain(q.p[p].Target() / 2) }

func (q *eq) lowShelf(frames uint32) {
	a := q.root(eqLowGain)
	q.band[0].set(frames, [5]float64{
		eqG: q.warped(eqLowFreq) / math.Sqrt(a), eqK: math.Sqrt2,
		eqDry: 1, eqBandPass: float64(math.Sqrt2 * (a - 1)), eqLowPass: float64(a*a) - 1,
	})
}

func (q *eq) peak(frames uint32) {
	a := q.root(eqMidGain)
	k := 1 / float64(q.p[eqMidQ].Target()*a)
	q.band[1].set(frames, [5]float64{
		eqG: q.warped(eqMidFreq), eqK: k, eqDry: 1, eqBandPass: float64(k * (float64(a*a) - 1)), eqLowPass: 0,
	})
}

func (q *eq) highShelf(frames uint32) {
	a := q.root(eqHighGain)
	g := float64(q.warped(eqHighFreq) * math.Sqrt(a))
	q.band[2].set(frames, [5]float64{
		eqG: g, eqK: math.Sqrt2,
		eqDry: float64(a * a), eqBandPass: float64(float64(math.Sqrt2*(1-a)) * a), eqLowPass: 1 - float64(a*a),
	})
}

func (q *eq) Render(in, outs [][]float32) {
	for i, l := range in[0] {
		r := in[1][i]
		yl, yr := float64(l), float64(r)
		for k := range q.band {
			if q.band[k].moving() {
				q.band[k].move()
			}
			yl, yr = q.band[k].frame(yl, yr)
		}
		mix := q.p[eqMix].Next()
		outs[0][i], outs[1][i] = signal.Blend(l, yl, mix), signal.Blend(r, yr, mix)
	}
}

func (q *eq) Reset() {
	dsp.Ramps(q.p[:]).Finish()
	q.lowShelf(1)
	q.peak(1)
	q.highShelf(1)
	for k := range q.band {
		q.band[k] = eqBand{to: q.band[k].to}
		dsp.Ramps(q.band[k].to[:]).Finish()
		q.band[k].move()
	}
}

// values returns the numbers of the state of a band, without the ramps.
func (b *eqBand) values() [10]*float64 {
	return [...]*float64{&b.g, &b.a1, &b.a2, &b.dry, &b.band, &b.low, &b.s1left, &b.s2left, &b.s1right, &b.s2right}
}

func (q *eq) Save(e *dsp.Encoder) {
	dsp.Ramps(q.p[:]).Save(e)
	for k := range q.band {
		dsp.Ramps(q.band[k].to[:]).Save(e)
		for _, v := range q.band[k].values() {
			e.Float64(*v)
		}
	}
}

func (q *eq) Restore(d *dsp.Decoder) {
	dsp.Ramps(q.p[:]).Restore(d)
	for k := range q.band {
		dsp.Ramps(q.band[k].to[:]).Restore(d)
		for _, v := range q.band[k].values() {
			*v = d.Float64()
		}
	}
}
