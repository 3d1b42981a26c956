package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Meter measures a signal on its way.
var Meter = dsp.Desc{
	Type: "meter",
	Doc: "Passes a signal through and measures it. Peak rises at once and falls 20 dB in 1.7 s, as IEC 60268-10 has it for type I; " +
		"rms is over an exponential window of 0.4 s, without weighting.",
	Source: "IEC 60268-10 (fall of the peak)",
	Inputs: []dsp.Port{{Name: "in", Stereo: true, Doc: "what is measured"}},
	Outputs: []dsp.Port{
		{Name: "out", Stereo: true, Doc: "in, bit for bit"},
		{Name: "peak", Doc: "the louder channel's, linear"},
		{Name: "rms", Doc: "root of the mean square of both channels, linear: a sine of amplitude 1 on both has 0.707"},
	},
	New: func(rate float64) dsp.Module {
		return &meter{keep: approx.Gain(-20 / float64(1.7*rate)), part: approach(0.4, rate)}
	},
}

type meter struct {
	keep, part float64 // of the peak a frame, and of the way to the new square
	peak, mean float64 // mean of the squares
}

func (*meter) Set(int, float64) {}
func (*meter) Gate(bool)        {}

func (m *meter) Render(in, outs [][]float32) {
	copy(outs[0], in[0])
	copy(outs[1], in[1])
	peaks, rms := outs[2], outs[3]
	for i := range peaks {
		l, r := in[0][i], in[1][i]
		m.peak = max(louder(l, r), float64(m.peak*m.keep))
		if m.peak < quiet {
			m.peak = 0
		}
		square := float64(0.5 * (float64(float64(l)*float64(l)) + float64(float64(r)*float64(r))))
		m.mean += float64(m.part * (square - m.mean))
		if m.peak == 0 && m.mean < quiet*quiet {
			m.mean = 0
		}
		peaks[i], rms[i] = float32(m.peak), float32(math.Sqrt(m.mean))
	}
}

func (m *meter) Reset() { m.peak, m.mean = 0, 0 }

func (m *meter) Save(e *dsp.Encoder) {
	e.Float64(m.peak)
	e.Float64(m.mean)
}

func (m *meter) Restore(d *dsp.Decoder) { m.peak, m.mean = d.Float64(), d.Float64() }
