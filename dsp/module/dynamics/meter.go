package dynamics

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Meter measures a signal and passes it through.
var Meter = dsp.Desc{
	Type: "meter",
	Doc: "Passes a signal through and measures it. The peak rises at once and falls by 20 dB in 1.7 s, as for " +
		"type I of IEC 60268-10. " +
		"The RMS has an exponential window of 0.4 s and no weighting.",
	Source: "IEC 60268-10 (fall of the peak)",
	Inputs: []dsp.Port{{Name: "in", Stereo: true, Doc: "signal to measure"}},
	Outputs: []dsp.Port{
		{Name: "out", Stereo: true, Doc: "the input, bit for bit"},
		{Name: "peak", Doc: "peak of the louder channel, linear"},
		{Name: "rms", Doc: "RMS of both channels, linear: 0.707 for a sine of amplitude 1 on both"},
	},
	New: func(rate float64) dsp.Module {
		return &meter{keep: approx.Gain(-20 / float64(1.7*rate)), part: signal.Smoothing(0.4, rate)}
	},
}

type meter struct {
	keep, part float64 // factor on the peak, and smoothing of the squares, a frame
	peak, mean float64 // mean: of the squares
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
		if m.peak < signal.LevelFloor {
			m.peak = 0
		}
		square := float64(0.5 * (float64(float64(l)*float64(l)) + float64(float64(r)*float64(r))))
		m.mean += float64(m.part * (square - m.mean))
		if m.peak == 0 && m.mean < signal.LevelFloor*signal.LevelFloor {
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
