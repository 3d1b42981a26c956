package oscillator

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Sine is a sine oscillator.
var Sine = dsp.Desc{
	Type:           "sine",
	Doc:            "Sine oscillator. Its phase is continuous when the frequency changes.",
	Inputs:         oscInputs(),
	Outputs:        []dsp.Port{{Name: "out", Doc: "the wave; its amplitude is gain"}},
	Params:         oscParams(),
	GeneratesSound: true,
	New:            func(rate float64) dsp.Module { return &sine{newOsc(rate)} },
}

// sine computes a polynomial of the upper 32 bits of the phase.
type sine struct{ osc }

func (s *sine) Set(p int, v float64) { s.set(p, v) }

func (s *sine) Gate(bool) {}

func (s *sine) Render(in, outs [][]float32) {
	out := outs[0]
	pitch, fm := in[0][:len(out)], in[1][:len(out)]
	for i := range out {
		out[i] = float32(float64(approx.SinPhase(uint32(s.phase>>32)) * s.gain.Next()))
		s.phase += s.at(pitch[i], fm[i])
	}
}

func (s *sine) Reset() { s.reset() }

func (s *sine) Save(e *dsp.Encoder) { s.save(e) }

func (s *sine) Restore(d *dsp.Decoder) { s.restore(d) }
