package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// Triangle is a band-limited triangle.
var Triangle = dsp.Desc{
	Type:           "triangle",
	Doc:            "Triangle that begins at 0 and rises, band-limited; its phase goes on over every change of frequency.",
	Source:         "V. Valimaki, J. Pekonen, J. Nam, \"Perceptually informed synthesis of bandlimited classical waveforms using integrated polynomial interpolation\", 2012",
	Inputs:         oscInputs(),
	Outputs:        []dsp.Port{{Name: "out", Doc: "the wave, as loud as gain"}},
	Params:         oscParams(),
	GeneratesSound: true,
	New:            func(rate float64) dsp.Module { return &triangle{newOsc(rate)} },
}

// triangle smooths its corners instead of integrating a square: there is nothing that could drift.
type triangle struct{ osc }

func (s *triangle) Set(p int, v float64) { s.set(p, v) }

func (s *triangle) Gate(bool) {}

func (s *triangle) Render(in, outs [][]float32) {
	out := outs[0]
	pitch, fm := in[0][:len(out)], in[1][:len(out)]
	for i := range out {
		step := s.at(pitch[i], fm[i])
		peak := s.phase - 1<<62 // the phase since the upper corner; the lower one is half a turn on
		t, dt := float64(float64(peak>>11)*oscPhase), float64(float64(step>>11)*oscPhase)
		u := float64(float64((peak+1<<63)>>11) * oscPhase)
		y := float64(4*math.Abs(t-0.5)) - 1
		y += float64(float64(8*dt) * (oscCorner(u, dt) - oscCorner(t, dt)))
		out[i] = float32(float64(y * s.gain.Next()))
		s.phase += step
	}
}

func (s *triangle) Reset() { s.reset() }

func (s *triangle) Save(e *dsp.Encoder) { s.save(e) }

func (s *triangle) Restore(d *dsp.Decoder) { s.restore(d) }
