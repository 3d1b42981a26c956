package oscillator

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Square is a band-limited pulse oscillator.
var Square = dsp.Desc{
	Type: "square",
	Doc:  "Square or pulse wave of any width, band-limited. Its phase is continuous when the frequency changes.",
	Source: "V. Valimaki, J. Pekonen, J. Nam, \"Perceptually informed synthesis of bandlimited classical " +
		"waveforms using integrated polynomial interpolation\", 2012",
	Inputs: oscInputs(dsp.Port{Name: "pw", Doc: "added to width; the sum is limited to 0.01 to 0.99"}),
	Outputs: []dsp.Port{{Name: "out",
		Doc: "gain during width, -gain for the rest of the cycle; it overshoots by a twelfth at its edges"}},
	Params: oscParams(
		dsp.Param{Name: "width", Min: 0.01, Max: 0.99, Default: 0.5,
			Doc: "part of the cycle that is high; ramped over 5 ms"},
	),
	GeneratesSound: true,
	New: func(rate float64) dsp.Module {
		s := &square{osc: newOsc(rate)}
		s.width.Jump(0.5)
		return s
	},
}

const squareWidth = oscGain + 1

// square is the difference of two saws whose phases differ by the width.
type square struct {
	osc
	width dsp.Ramp
}

func (s *square) Set(p int, v float64) {
	if p == squareWidth {
		s.width.To(v, dsp.RampFrames(s.rate))
		return
	}
	s.set(p, v)
}

func (s *square) Gate(bool) {}

func (s *square) Render(in, outs [][]float32) {
	out := outs[0]
	pitch, fm, pw := in[0][:len(out)], in[1][:len(out)], in[2][:len(out)]
	for i := range out {
		step := s.at(pitch[i], fm[i])
		w := max(0.01, min(0.99, s.width.Next()+float64(pw[i])))
		t, dt := wave.Turns(s.phase), wave.Turns(step)
		y, u := -1.0, t-w // u: turns since the falling edge
		if u < 0 {
			y, u = 1, u+1
		}
		y += float64(2 * (wave.StepResidual(t, dt) - wave.StepResidual(u, dt)))
		out[i] = float32(float64(y * s.gain.Next()))
		s.phase += step
	}
}

func (s *square) Reset() {
	s.reset()
	s.width.Jump(s.width.Target())
}

func (s *square) Save(e *dsp.Encoder) {
	s.save(e)
	s.width.Save(e)
}

func (s *square) Restore(d *dsp.Decoder) {
	s.restore(d)
	s.width.Restore(d)
}
