package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Flanger is a comb filter that moves.
var Flanger = dsp.Desc{
	Type:    "flanger",
	Doc:     "Flanger: a short delay with feedback that sweeps, the right channel a quarter turn after the left.",
	Source:  "J. Dattorro, Effect Design, Part 2: Delay-Line Modulation and Chorus, JAES 1997",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "what is combed"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "input and comb, as mix says"}},
	Params:  flangerParams,
	New: func(rate float64) dsp.Module {
		f := &flanger{rate: rate}
		f.room = fxRoom(flangerLeast+flangerSweep, rate)
		f.ring = make([]float32, 2*f.room)
		fxDefaults(f.p[:], flangerParams)
		f.Reset()
		return f
	},
}

var flangerParams = []dsp.Param{
	{Name: "rate", Unit: "Hz", Min: 0.01, Max: 10, Default: 0.2, Doc: "of the sweep; its phase goes on over every change"},
	{Name: "depth", Min: 0, Max: 1, Default: 0.7, Doc: "1 sweeps from 0.5 to 5.5 ms, 0 stays at 0.5 ms; ramped over 50 ms"},
	{Name: "feedback", Min: -0.95, Max: 0.95, Default: 0.5, Doc: "bent softly above full scale; below 0 the comb is between the harmonics; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.5, Doc: "0 is the input, 1 the comb; ramped over 5 ms"},
}

// Seconds of the shortest delay, and of the sweep above it.
const (
	flangerLeast = 0.0005
	flangerSweep = 0.005
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
	ring        []float32 // left, then right, room each
	room        int
	pos         uint32
}

func (f *flanger) Set(p int, v float64) {
	switch p {
	case flangerRate:
		f.p[p].Jump(v)
		f.step = fxStep(v, f.rate)
	case flangerDepth:
		f.p[p].To(v, max(1, uint32(fxGlide*f.rate)))
	case flangerFeedback, flangerMix:
		f.p[p].To(v, dsp.RampFrames(f.rate))
	}
}

func (f *flanger) Gate(bool) {}

func (f *flanger) Render(in, outs [][]float32) {
	left, right := f.ring[:f.room], f.ring[f.room:]
	least, half := max(2, float64(flangerLeast*f.rate)), float64(0.5*flangerSweep*f.rate)
	for i, l := range in[0] {
		r := in[1][i]
		sweep := float64(fxClamp(f.p[flangerDepth].Next(), 0, 1) * half)
		phase := uint32(f.phase >> 32)
		f.phase += f.step
		yl := fxHermite(left, f.pos, least+float64(sweep*(1+approx.SinPhase(phase))))
		yr := fxHermite(right, f.pos, least+float64(sweep*(1+approx.SinPhase(phase+1<<30))))

		k := f.p[flangerFeedback].Next()
		at := f.pos & uint32(f.room-1)
		left[at] = fxFlush(float64(l) + float64(k*fxSoft(yl)))
		right[at] = fxFlush(float64(r) + float64(k*fxSoft(yr)))
		f.pos++
		mix := f.p[flangerMix].Next()
		outs[0][i], outs[1][i] = fxBlend(l, yl, mix), fxBlend(r, yr, mix)
	}
}

func (f *flanger) Reset() {
	fxSettle(f.p[:])
	f.step, f.phase = fxStep(f.p[flangerRate].Target(), f.rate), 0
	clear(f.ring)
	f.pos = 0
}

func (f *flanger) Save(e *dsp.Encoder) {
	fxSaveRamps(e, f.p[:])
	e.Uint64(f.phase)
	e.Uint64(f.step)
	e.Uint32(f.pos)
	e.Float32s(f.ring)
}

func (f *flanger) Restore(d *dsp.Decoder) {
	fxRestoreRamps(d, f.p[:])
	f.phase, f.step, f.pos = d.Uint64(), d.Uint64(), d.Uint32()
	d.Float32s(f.ring)
}
