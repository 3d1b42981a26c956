package oscillator

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Saw is a band-limited sawtooth oscillator.
var Saw = dsp.Desc{
	Type: "saw",
	Doc:  "Rising sawtooth, band-limited. Its phase is continuous when the frequency changes.",
	Source: "V. Valimaki, J. Pekonen, J. Nam, \"Perceptually informed synthesis of bandlimited classical " +
		"waveforms using integrated polynomial interpolation\", 2012",
	Inputs: oscInputs(),
	Outputs: []dsp.Port{{Name: "out",
		Doc: "the wave, from -gain to gain; it overshoots by a twelfth at its edges"}},
	Params:         oscParams(),
	GeneratesSound: true,
	New:            func(rate float64) dsp.Module { return &saw{newOsc(rate)} },
}

// saw has no state but the phase. It smooths the next edge for the present frequency.
type saw struct{ osc }

func (s *saw) Set(p int, v float64) { s.set(p, v) }

func (s *saw) Gate(bool) {}

func (s *saw) Render(in, outs [][]float32) {
	out := outs[0]
	pitch, fm := in[0][:len(out)], in[1][:len(out)]
	for i := range out {
		step := s.at(pitch[i], fm[i])
		t, dt := wave.Turns(s.phase), wave.Turns(step)
		out[i] = float32(float64(wave.Saw(t, dt) * s.gain.Next()))
		s.phase += step
	}
}

func (s *saw) Reset() { s.reset() }

func (s *saw) Save(e *dsp.Encoder) { s.save(e) }

func (s *saw) Restore(d *dsp.Decoder) { s.restore(d) }
