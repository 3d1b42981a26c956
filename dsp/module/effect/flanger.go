package effect

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/delay"
	"github.com/music-chronus/chronus/dsp/internal/signal"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Flanger is a comb filter whose delay is swept.
var Flanger = dsp.Desc{
	Type:    "flanger",
	Doc:     "Flanger: a short, swept delay with feedback. The right channel is a quarter turn after the left.",
	Source:  "J. Dattorro, Effect Design, Part 2: Delay-Line Modulation and Chorus, JAES 1997",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "dry signal"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "dry signal and comb, by mix"}},
	Params:  flangerParams,
	New: func(rate float64) dsp.Module {
		f := &flanger{rate: rate, lines: delay.NewStereo(flangerLeastSeconds+flangerSweepSeconds, rate)}
		dsp.Ramps(f.p[:]).Defaults(flangerParams)
		f.Reset()
		return f
	},
}

var flangerParams = []dsp.Param{
	{Name: "rate", Unit: "Hz", Min: 0.01, Max: 10, Default: 0.2,
		Doc: "frequency of the sweep; the phase is continuous when it changes"},
	{Name: "depth", Min: 0, Max: 1, Default: 0.7,
		Doc: "1 sweeps from 0.5 to 5.5 ms, 0 stays at 0.5 ms; ramped over 50 ms"},
	{Name: "feedback", Min: -0.95, Max: 0.95, Default: 0.5,
		Doc: "softly clipped above full scale; below 0 the peaks lie between the harmonics; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.5, Doc: "0 is the input, 1 the comb; ramped over 5 ms"},
}

// The shortest delay, and the range of the sweep above it, in s.
const (
	flangerLeastSeconds = 0.0005
	flangerSweepSeconds = 0.005
)

const (
	flangerRate = iota
	flangerDepth
	flangerFeedback
	flangerMix
	flangerCount
)

type flanger struct {
	rate        float64
	p           [flangerCount]dsp.Ramp
	phase, step uint64
	lines       delay.Stereo
}

func (f *flanger) Set(p int, v float64) {
	switch p {
	case flangerRate:
		f.p[p].Jump(v)
		f.step = wave.PhaseStep(v, f.rate)
	case flangerDepth:
		f.p[p].To(v, delay.GlideFrames(f.rate))
	case flangerFeedback, flangerMix:
		f.p[p].To(v, dsp.RampFrames(f.rate))
	}
}

func (f *flanger) Gate(bool) {}

func (f *flanger) Render(in, outs [][]float32) {
	left, right, pos := f.lines.Left, f.lines.Right, f.lines.Pos
	least, half := max(2, float64(flangerLeastSeconds*f.rate)), float64(0.5*flangerSweepSeconds*f.rate)
	for i, l := range in[0] {
		r := in[1][i]
		sweep := float64(signal.Clamp(f.p[flangerDepth].Next(), 0, 1) * half)
		phase := uint32(f.phase >> 32)
		f.phase += f.step
		yl := delay.Hermite(left, pos, least+float64(sweep*(1+approx.SinPhase(phase))))
		yr := delay.Hermite(right, pos, least+float64(sweep*(1+approx.SinPhase(phase+1<<30))))

		k := f.p[flangerFeedback].Next()
		at := pos & uint32(len(left)-1)
		left[at] = delay.Flush(float64(l) + float64(k*delay.SoftClip(yl)))
		right[at] = delay.Flush(float64(r) + float64(k*delay.SoftClip(yr)))
		pos++
		mix := f.p[flangerMix].Next()
		outs[0][i], outs[1][i] = signal.Blend(l, yl, mix), signal.Blend(r, yr, mix)
	}
	f.lines.Pos = pos
}

func (f *flanger) Reset() {
	dsp.Ramps(f.p[:]).Finish()
	f.step, f.phase = wave.PhaseStep(f.p[flangerRate].Target(), f.rate), 0
	f.lines.Reset()
}

func (f *flanger) Save(e *dsp.Encoder) {
	dsp.Ramps(f.p[:]).Save(e)
	e.Uint64(f.phase)
	e.Uint64(f.step)
	f.lines.Save(e)
}

func (f *flanger) Restore(d *dsp.Decoder) {
	dsp.Ramps(f.p[:]).Restore(d)
	f.phase, f.step = d.Uint64(), d.Uint64()
	f.lines.Restore(d)
}
