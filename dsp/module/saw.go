package module

import "github.com/music-chronus/chronus/dsp"

// Saw is a band-limited saw.
var Saw = dsp.Desc{
	Type:           "saw",
	Doc:            "Saw that rises, band-limited; its phase goes on over every change of frequency.",
	Source:         "V. Valimaki, J. Pekonen, J. Nam, \"Perceptually informed synthesis of bandlimited classical waveforms using integrated polynomial interpolation\", 2012",
	Inputs:         oscInputs(),
	Outputs:        []dsp.Port{{Name: "out", Doc: "the wave, from -gain to gain and a twelfth beyond at its edges"}},
	Params:         oscParams(),
	GeneratesSound: true,
	New:            func(rate float64) dsp.Module { return &saw{newOsc(rate)} },
}

// saw has no state but the phase: the edge to come is smoothed as if the frequency stayed.
type saw struct{ osc }

func (s *saw) Set(p int, v float64) { s.set(p, v) }

func (s *saw) Gate(bool) {}

func (s *saw) Render(in, outs [][]float32) {
	out := outs[0]
	pitch, fm := in[0][:len(out)], in[1][:len(out)]
	for i := range out {
		step := s.at(pitch[i], fm[i])
		t, dt := float64(float64(s.phase>>11)*oscPhase), float64(float64(step>>11)*oscPhase)
		out[i] = float32(float64(oscSaw(t, dt) * s.gain.Next()))
		s.phase += step
	}
}

func (s *saw) Reset() { s.reset() }

func (s *saw) Save(e *dsp.Encoder) { s.save(e) }

func (s *saw) Restore(d *dsp.Decoder) { s.restore(d) }
