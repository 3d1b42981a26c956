package oscillator

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/random"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Supersaw is an oscillator of seven detuned saws.
var Supersaw = dsp.Desc{
	Type: "supersaw",
	Doc: "Seven band-limited saws, detuned against each other and spread over the stereo field. Together " +
		"they are as loud as one.",
	Source: "A. Szabo, \"How to emulate the Super Saw\", 2010: the detunings and both curves",
	Inputs: oscInputs(),
	Outputs: []dsp.Port{{Name: "out", Stereo: true,
		Doc: "the saws; each channel has the RMS of one saw with that gain, and peaks of up to 2.6 times gain"}},
	Params: oscParams(
		dsp.Param{Name: "detune", Min: 0, Max: 1, Default: 0.4,
			Doc: "distance between the saws; at 1 they lie from 202 cents below to 177 cents above"},
		dsp.Param{Name: "mix", Min: 0, Max: 1, Default: 0.6,
			Doc: "level of the six outer saws against the middle one; ramped over 5 ms"},
		dsp.Param{Name: "spread", Min: 0, Max: 1, Default: 0.5,
			Doc: "distance of the saws from the centre of the stereo field; ramped over 5 ms"},
	),
	GeneratesSound: true,
	New: func(rate float64) dsp.Module {
		s := &supersaw{osc: newOsc(rate), detune: 0.4}
		s.mix.Jump(0.6)
		s.spread.Jump(0.5)
		s.Reset()
		return s
	},
}

const (
	supersawDetune = oscGain + 1 + iota
	supersawMix
	supersawSpread
)

// supersawOffsets are the relative deviations of the saws' frequencies at detune 1. supersawPlaces
// are their places in the stereo field at spread 1, from -1 (left) to 1. The two saws of a pair
// with similar detuning lie on opposite sides.
var (
	supersawOffsets = [7]float64{-0.11002313, -0.06288439, -0.01952356, 0, 0.01991221, 0.06216538, 0.10745242}
	supersawPlaces  = [7]float64{-1, 2.0 / 3, -1.0 / 3, 0, 1.0 / 3, -2.0 / 3, 1}
)

// supersawMiddle is the index of the saw without detuning.
const supersawMiddle = 3

// supersaw has seven phases; the phase of osc stays 0. Steps and levels are recomputed only when
// the values that they depend on move.
type supersaw struct {
	osc
	detune      float64
	mix, spread dsp.Ramp
	of          uint64 // the middle's step, for which steps were computed
	steps       [7]uint64
	phases      [7]uint64
	left, right [7]float64
}

func (s *supersaw) Set(p int, v float64) {
	frames := dsp.RampFrames(s.rate)
	switch p {
	case supersawDetune:
		s.detune = v
		s.spreadSteps(s.of)
	case supersawMix:
		s.mix.To(v, frames)
	case supersawSpread:
		s.spread.To(v, frames)
	default:
		s.set(p, v)
	}
}

func (s *supersaw) Gate(bool) {}

// supersawCurve returns the factor on the offsets for a detune: Szabo's polynomial through his
// measurements.
func supersawCurve(x float64) float64 {
	y := 0.0
	for _, c := range [...]float64{
		10028.7312891634, -50818.8652045924, 111363.4808729368, -138150.6761080548, 106649.6679158292,
		-53046.9642751875, 17019.9518580080, -3425.0836591318, 404.2703938388, -24.1878824391, 0.6717417634, 0.0030115596,
	} {
		y = float64(y*x) + c
	}
	return y
}

// spreadSteps computes the saws' steps from that of the middle.
func (s *supersaw) spreadSteps(step uint64) {
	s.of = step
	d := supersawCurve(s.detune)
	for i, o := range supersawOffsets {
		s.steps[i] = uint64(min(1<<63, max(0, float64(float64(step)*(1+float64(d*o))))))
	}
}

// levels computes the level of each saw on each side: Szabo's curves, normalized to the power of
// one saw, and panned with constant power.
func (s *supersaw) levels(mix, spread float64) {
	middle := 0.99785 - float64(0.55366*mix)
	side := 0.044372 + float64(mix*(1.2841-float64(0.73764*mix)))
	all := math.Sqrt(float64(middle*middle) + float64(float64(6*side)*side))
	for i, p := range supersawPlaces {
		l := side
		if i == supersawMiddle {
			l = middle
		}
		l = float64(l*math.Sqrt2) / all
		turn := float64((1 + float64(p*spread)) / 8)
		s.left[i], s.right[i] = float64(l*approx.Cos(turn)), float64(l*approx.Sin(turn))
	}
}

func (s *supersaw) Render(in, outs [][]float32) {
	left, right := outs[0], outs[1][:len(outs[0])]
	pitch, fm := in[0][:len(left)], in[1][:len(left)]
	for i := range left {
		if step := s.at(pitch[i], fm[i]); step != s.of {
			s.spreadSteps(step)
		}
		if s.mix.Moving() || s.spread.Moving() {
			s.levels(s.mix.Next(), s.spread.Next())
		}
		l, r := 0.0, 0.0
		for k := range s.phases {
			t, dt := wave.Turns(s.phases[k]), wave.Turns(s.steps[k])
			y := wave.Saw(t, dt)
			l += float64(y * s.left[k])
			r += float64(y * s.right[k])
			s.phases[k] += s.steps[k]
		}
		g := s.gain.Next()
		left[i], right[i] = float32(float64(l*g)), float32(float64(r*g))
	}
}

func (s *supersaw) Reset() {
	s.reset()
	s.mix.Jump(s.mix.Target())
	s.spread.Jump(s.spread.Target())
	for i := range s.phases {
		s.phases[i] = uint64(i+1) * random.Step // spread evenly, by the golden section
	}
	s.spreadSteps(s.step)
	s.levels(s.mix.Target(), s.spread.Target())
}

func (s *supersaw) Save(e *dsp.Encoder) {
	s.save(e)
	e.Float64(s.detune)
	s.mix.Save(e)
	s.spread.Save(e)
	e.Uint64(s.of)
	for i := range s.phases {
		e.Uint64(s.steps[i])
		e.Uint64(s.phases[i])
		e.Float64(s.left[i])
		e.Float64(s.right[i])
	}
}

func (s *supersaw) Restore(d *dsp.Decoder) {
	s.restore(d)
	s.detune = d.Float64()
	s.mix.Restore(d)
	s.spread.Restore(d)
	s.of = d.Uint64()
	for i := range s.phases {
		s.steps[i], s.phases[i] = d.Uint64(), d.Uint64()
		s.left[i], s.right[i] = d.Float64(), d.Float64()
	}
}
