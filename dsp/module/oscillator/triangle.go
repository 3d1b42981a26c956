package oscillator

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Triangle is a band-limited triangle oscillator.
var Triangle = dsp.Desc{
	Type: "triangle",
	Doc: "Triangle that starts at 0 and rises, band-limited. Its phase is continuous when the " +
		"frequency changes.",
	Source: "V. Valimaki, J. Pekonen, J. Nam, \"Perceptually informed synthesis of bandlimited classical " +
		"waveforms using integrated polynomial interpolation\", 2012",
	Inputs:         oscInputs(),
	Outputs:        []dsp.Port{{Name: "out", Doc: "the wave; its amplitude is gain"}},
	Params:         oscParams(),
	GeneratesSound: true,
	New:            func(rate float64) dsp.Module { return &triangle{newOsc(rate)} },
}

// triangle smooths its corners instead of integrating a square, so that it cannot drift.
type triangle struct{ osc }

func (s *triangle) Set(p int, v float64) { s.set(p, v) }

func (s *triangle) Gate(bool) {}

func (s *triangle) Render(in, outs [][]float32) {
	out := outs[0]
	pitch, fm := in[0][:len(out)], in[1][:len(out)]
	for i := range out {
		step := s.at(pitch[i], fm[i])
		peak := s.phase - 1<<62 // the phase since the upper corner; the lower corner is half a turn later
		t, dt := wave.Turns(peak), wave.Turns(step)
		u := wave.Turns(peak + 1<<63)
		y := float64(4*math.Abs(t-0.5)) - 1
		y += float64(float64(8*dt) * (wave.CornerResidual(u, dt) - wave.CornerResidual(t, dt)))
		out[i] = float32(float64(y * s.gain.Next()))
		s.phase += step
	}
}

func (s *triangle) Reset() { s.reset() }

func (s *triangle) Save(e *dsp.Encoder) { s.save(e) }

func (s *triangle) Restore(d *dsp.Decoder) { s.restore(d) }
