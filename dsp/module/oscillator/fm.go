package oscillator

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// FM is a sine whose phase is modulated by another.
var FM = dsp.Desc{
	Type: "fm",
	Doc: "Sine whose phase is modulated by another sine. The levels of its sidebands are the Bessel functions " +
		"of the index.",
	Source: "J. Chowning, \"The synthesis of complex audio spectra by means of frequency modulation\", 1973; " +
		"the feedback N. Tomisawa, US patent 4,249,447, 1981",
	Inputs:  oscInputs(dsp.Port{Name: "index", Doc: "added to the parameter index; the sum is limited to -20 to 20"}),
	Outputs: []dsp.Port{{Name: "out", Doc: "the carrier; its amplitude is gain"}},
	Params: oscParams(
		dsp.Param{Name: "ratio", Min: 0.125, Max: 16, Default: 1,
			Doc: "frequency of the modulator divided by that of the carrier; the modulator is limited to half " +
				"the rate"},
		dsp.Param{Name: "index", Min: 0, Max: 20, Default: 2,
			Doc: "depth of the phase modulation in radians; ramped over 5 ms"},
		dsp.Param{Name: "feedback", Min: 0, Max: 1,
			Doc: "depth by which the modulator modulates its own phase, 1 being a quarter turn; ramped over 5 ms"},
	),
	GeneratesSound: true,
	New: func(rate float64) dsp.Module {
		f := &fm{osc: newOsc(rate), ratio: 1}
		f.index.Jump(2)
		return f
	},
}

const (
	fmRatio = oscGain + 1 + iota
	fmIndex
	fmFeedback
)

// fm feeds the mean of the modulator's last two values back to its phase. One value alone would
// make the modulator oscillate from frame to frame.
type fm struct {
	osc
	ratio           float64
	modulator       uint64  // phase
	last, before    float64 // values of the modulator
	index, feedback dsp.Ramp
}

func (f *fm) Set(p int, v float64) {
	switch p {
	case fmRatio:
		f.ratio = v
	case fmIndex:
		f.index.To(v, dsp.RampFrames(f.rate))
	case fmFeedback:
		f.feedback.To(v, dsp.RampFrames(f.rate))
	default:
		f.set(p, v)
	}
}

func (f *fm) Gate(bool) {}

// fmRadian is a radian in the units of SinPhase, fmQuarter a quarter turn.
const (
	fmRadian  = (1 << 31) / math.Pi
	fmQuarter = 1 << 30
)

func (f *fm) Render(in, outs [][]float32) {
	out := outs[0]
	pitch, hz, index := in[0][:len(out)], in[1][:len(out)], in[2][:len(out)]
	of, moves := f.step, f.modulatorStep(f.step)
	for i := range out {
		step := f.at(pitch[i], hz[i])
		if step != of {
			of, moves = step, f.modulatorStep(step)
		}
		back := int64(float64(fmQuarter / 2 * f.feedback.Next() * (f.last + f.before)))
		m := approx.SinPhase(uint32(f.modulator>>32) + uint32(back))
		f.before, f.last = f.last, m
		depth := max(-20, min(20, f.index.Next()+float64(index[i])))
		off := int64(float64(fmRadian * depth * m))
		out[i] = float32(float64(approx.SinPhase(uint32(f.phase>>32)+uint32(off)) * f.gain.Next()))
		f.phase += step
		f.modulator += moves
	}
}

// modulatorStep returns the modulator's step for a step of the carrier.
func (f *fm) modulatorStep(step uint64) uint64 {
	return uint64(min(1<<63, float64(float64(step)*f.ratio)))
}

func (f *fm) Reset() {
	f.reset()
	f.modulator, f.last, f.before = 0, 0, 0
	f.index.Jump(f.index.Target())
	f.feedback.Jump(f.feedback.Target())
}

func (f *fm) Save(e *dsp.Encoder) {
	f.save(e)
	e.Float64(f.ratio)
	e.Uint64(f.modulator)
	e.Float64(f.last)
	e.Float64(f.before)
	f.index.Save(e)
	f.feedback.Save(e)
}

func (f *fm) Restore(d *dsp.Decoder) {
	f.restore(d)
	f.ratio, f.modulator = d.Float64(), d.Uint64()
	f.last, f.before = d.Float64(), d.Float64()
	f.index.Restore(d)
	f.feedback.Restore(d)
}
