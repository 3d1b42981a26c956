package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Chorus makes one voice sound as several.
var Chorus = dsp.Desc{
	Type:    "chorus",
	Doc:     "Chorus: three delays that sway, a third of a turn apart, the right channel a quarter turn after the left.",
	Source:  "J. Dattorro, Effect Design, Part 2: Delay-Line Modulation and Chorus, JAES 1997",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "what is multiplied"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "input and voices, as mix says"}},
	Params:  chorusParams,
	New: func(rate float64) dsp.Module {
		c := &chorus{rate: rate}
		c.room = fxRoom(chorusMiddle+chorusSway, rate)
		c.ring = make([]float32, 2*c.room)
		fxDefaults(c.p[:], chorusParams)
		c.Reset()
		return c
	},
}

var chorusParams = []dsp.Param{
	{Name: "rate", Unit: "Hz", Min: 0.01, Max: 10, Default: 0.8, Doc: "of the swaying; its phase goes on over every change"},
	{Name: "depth", Min: 0, Max: 1, Default: 0.4, Doc: "1 sways 6 ms around 14 ms; ramped over 50 ms"},
	{Name: "feedback", Min: 0, Max: 0.9, Default: 0, Doc: "of the voices into the delays, bent softly above full scale; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.5, Doc: "0 is the input, 1 the voices; ramped over 5 ms"},
}

// Seconds of delay around which the taps sway, and how far.
const (
	chorusMiddle = 0.014
	chorusSway   = 0.006
)

const (
	chorusRate = iota
	chorusDepth
	chorusFeedback
	chorusMix
	chorusCount
)

// chorus weighs its taps by a third each: together they never have a gain above 1.
type chorus struct {
	rate        float64
	p           [chorusCount]dsp.Ramp
	phase, step uint64
	ring        []float32 // left, then right, room each
	room        int
	pos         uint32
}

func (c *chorus) Set(p int, v float64) {
	switch p {
	case chorusRate:
		c.p[p].Jump(v)
		c.step = fxStep(v, c.rate)
	case chorusDepth:
		c.p[p].To(v, max(1, uint32(fxGlide*c.rate)))
	case chorusFeedback, chorusMix:
		c.p[p].To(v, dsp.RampFrames(c.rate))
	}
}

func (c *chorus) Gate(bool) {}

func (c *chorus) Render(in, outs [][]float32) {
	left, right := c.ring[:c.room], c.ring[c.room:]
	middle, most := float64(chorusMiddle*c.rate), float64(chorusSway*c.rate)
	for i, l := range in[0] {
		r := in[1][i]
		sway := float64(fxClamp(c.p[chorusDepth].Next(), 0, 1) * most)
		s := float64(sway * approx.SinPhase(uint32(c.phase>>32)))
		q := float64(sway * approx.SinPhase(uint32(c.phase>>32)+1<<30))
		c.phase += c.step
		yl, yr := chorusTaps(left, c.pos, middle, s, q), chorusTaps(right, c.pos, middle, q, -s)

		k := c.p[chorusFeedback].Next()
		at := c.pos & uint32(c.room-1)
		left[at] = fxFlush(float64(l) + float64(k*fxSoft(yl)))
		right[at] = fxFlush(float64(r) + float64(k*fxSoft(yr)))
		c.pos++
		mix := c.p[chorusMix].Next()
		outs[0][i], outs[1][i] = fxBlend(l, yl, mix), fxBlend(r, yr, mix)
	}
}

// chorusTaps is the mean of three taps. s and q are the sine and cosine of the first; the others are turned by 120 degrees.
func chorusTaps(ring []float32, pos uint32, middle, s, q float64) float64 {
	const sin120 = 0.8660254037844386
	half, side := middle-float64(0.5*s), float64(sin120*q)
	y := fxHermite(ring, pos, middle+s)
	y += fxHermite(ring, pos, half+side)
	y += fxHermite(ring, pos, half-side)
	return float64(y * (1.0 / 3))
}

func (c *chorus) Reset() {
	fxSettle(c.p[:])
	c.step, c.phase = fxStep(c.p[chorusRate].Target(), c.rate), 0
	clear(c.ring)
	c.pos = 0
}

func (c *chorus) Save(e *dsp.Encoder) {
	fxSaveRamps(e, c.p[:])
	e.Uint64(c.phase)
	e.Uint64(c.step)
	e.Uint32(c.pos)
	e.Float32s(c.ring)
}

func (c *chorus) Restore(d *dsp.Decoder) {
	fxRestoreRamps(d, c.p[:])
	c.phase, c.step, c.pos = d.Uint64(), d.Uint64(), d.Uint32()
	d.Float32s(c.ring)
}
