package effect

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/delay"
	"github.com/music-chronus/chronus/dsp/internal/signal"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Chorus makes a voice sound as several.
var Chorus = dsp.Desc{
	Type: "chorus",
	Doc: "Chorus: three modulated delays, a third of a turn apart. The right channel is a quarter turn after " +
		"the left.",
	Source:  "J. Dattorro, Effect Design, Part 2: Delay-Line Modulation and Chorus, JAES 1997",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "dry signal"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "dry signal and voices, by mix"}},
	Params:  chorusParams,
	New: func(rate float64) dsp.Module {
		c := &chorus{rate: rate, lines: delay.NewStereo(chorusMiddleSeconds+chorusDepthSeconds, rate)}
		dsp.Ramps(c.p[:]).Defaults(chorusParams)
		c.Reset()
		return c
	},
}

var chorusParams = []dsp.Param{
	{Name: "rate", Unit: "Hz", Min: 0.01, Max: 10, Default: 0.8,
		Doc: "frequency of the modulation; the phase is continuous when it changes"},
	{Name: "depth", Min: 0, Max: 1, Default: 0.4,
		Doc: "at 1 the delays move by 6 ms around 14 ms; ramped over 50 ms"},
	{Name: "feedback", Min: 0, Max: 0.9, Default: 0,
		Doc: "gain from the voices into the delays, softly clipped above full scale; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.5, Doc: "0 is the input, 1 the voices; ramped over 5 ms"},
}

// Delays of the taps in s: the middle, and the greatest modulation around it.
const (
	chorusMiddleSeconds = 0.014
	chorusDepthSeconds  = 0.006
)

const (
	chorusRate = iota
	chorusDepth
	chorusFeedback
	chorusMix
	chorusCount
)

// chorus gives each of three taps a third of the weight, so that their sum has a gain of at most 1.
type chorus struct {
	rate        float64
	p           [chorusCount]dsp.Ramp
	phase, step uint64
	lines       delay.Stereo
}

func (c *chorus) Set(p int, v float64) {
	switch p {
	case chorusRate:
		c.p[p].Jump(v)
		c.step = wave.PhaseStep(v, c.rate)
	case chorusDepth:
		c.p[p].To(v, delay.GlideFrames(c.rate))
	case chorusFeedback, chorusMix:
		c.p[p].To(v, dsp.RampFrames(c.rate))
	}
}

func (c *chorus) Gate(bool) {}

func (c *chorus) Render(in, outs [][]float32) {
	left, right, pos := c.lines.Left, c.lines.Right, c.lines.Pos
	middle, most := float64(chorusMiddleSeconds*c.rate), float64(chorusDepthSeconds*c.rate)
	for i, l := range in[0] {
		r := in[1][i]
		depth := float64(signal.Clamp(c.p[chorusDepth].Next(), 0, 1) * most)
		s := float64(depth * approx.SinPhase(uint32(c.phase>>32)))
		q := float64(depth * approx.SinPhase(uint32(c.phase>>32)+1<<30))
		c.phase += c.step
		yl, yr := chorusTaps(left, pos, middle, s, q), chorusTaps(right, pos, middle, q, -s)

		k := c.p[chorusFeedback].Next()
		at := pos & uint32(len(left)-1)
		left[at] = delay.Flush(float64(l) + float64(k*delay.SoftClip(yl)))
		right[at] = delay.Flush(float64(r) + float64(k*delay.SoftClip(yr)))
		pos++
		mix := c.p[chorusMix].Next()
		outs[0][i], outs[1][i] = signal.Blend(l, yl, mix), signal.Blend(r, yr, mix)
	}
	c.lines.Pos = pos
}

// chorusTaps returns the mean of three taps whose modulations are 120 degrees apart. The sine and
// the cosine of the first tap's modulation are s and q.
func chorusTaps(ring []float32, pos uint32, middle, s, q float64) float64 {
	const sin120 = 0.8660254037844386
	half, side := middle-float64(0.5*s), float64(sin120*q)
	y := delay.Hermite(ring, pos, middle+s)
	y += delay.Hermite(ring, pos, half+side)
	y += delay.Hermite(ring, pos, half-side)
	return float64(y * (1.0 / 3))
}

func (c *chorus) Reset() {
	dsp.Ramps(c.p[:]).Finish()
	c.step, c.phase = wave.PhaseStep(c.p[chorusRate].Target(), c.rate), 0
	c.lines.Reset()
}

func (c *chorus) Save(e *dsp.Encoder) {
	dsp.Ramps(c.p[:]).Save(e)
	e.Uint64(c.phase)
	e.Uint64(c.step)
	c.lines.Save(e)
}

func (c *chorus) Restore(d *dsp.Decoder) {
	dsp.Ramps(c.p[:]).Restore(d)
	c.phase, c.step = d.Uint64(), d.Uint64()
	c.lines.Restore(d)
}
