package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Sine is a sine oscillator.
var Sine = dsp.Desc{
	Type:   "sine",
	Doc:    "Sine oscillator; its phase goes on over every change of frequency.",
	Output: dsp.Port{Name: "out", Doc: "the wave, as loud as gain"},
	Params: []dsp.Param{
		{Name: "freq", Unit: "Hz", Min: 0, OfRate: 0.5, Default: 440, Doc: "frequency"},
		{Name: "gain", Min: 0, Max: 1, Default: 0.5, Doc: "linear; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		s := &sine{rate: rate, freq: 440}
		s.gain.Jump(0.5)
		s.Reset()
		return s
	},
}

const (
	sineFreq = iota
	sineGain
)

// sine accumulates its phase in 64 bits, a full turn being 2^64: the frequency is exact to
// rate/2^64 and never drifts. The upper 32 bits go into the polynomial.
type sine struct {
	rate  float64
	freq  float64
	step  uint64
	phase uint64
	gain  dsp.Ramp
}

func (s *sine) Set(p int, v float64) {
	switch p {
	case sineFreq:
		s.freq = v
		s.step = uint64(float64(v / s.rate * (1 << 64)))
	case sineGain:
		s.gain.To(v, dsp.RampFrames(s.rate))
	}
}

func (s *sine) Gate(bool) {}

func (s *sine) Render(_ [][]float32, out []float32) {
	phase, step := s.phase, s.step
	for i := range out {
		out[i] = float32(float64(approx.SinPhase(uint32(phase>>32)) * s.gain.Next()))
		phase += step
	}
	s.phase = phase
}

func (s *sine) Reset() {
	s.phase = 0
	s.gain.Jump(s.gain.Target())
	s.Set(sineFreq, s.freq)
}

func (s *sine) Save(e *dsp.Encoder) {
	e.Float64(s.freq)
	e.Uint64(s.step)
	e.Uint64(s.phase)
	s.gain.Save(e)
}

func (s *sine) Restore(d *dsp.Decoder) {
	s.freq, s.step, s.phase = d.Float64(), d.Uint64(), d.Uint64()
	s.gain.Restore(d)
}
