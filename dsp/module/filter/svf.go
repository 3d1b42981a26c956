package filter

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// SVF is a second-order filter with five outputs.
var SVF = dsp.Desc{
	Type:   "svf",
	Doc:    "State-variable filter with low-pass, high-pass, band-pass, notch and peak at once.",
	Source: "A. Simper, Solving the continuous SVF equations using trapezoidal integration, 2013",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal to filter"},
		{Name: "cutoff", Unit: "oct", Doc: "octaves added to cutoff"},
		{Name: "q", Doc: "added to the parameter q"},
	},
	Outputs: []dsp.Port{
		{Name: "low", Doc: "low-pass"},
		{Name: "high", Doc: "high-pass"},
		{Name: "band", Doc: "band-pass, with 0 dB at the cutoff"},
		{Name: "notch", Doc: "low plus high"},
		{Name: "peak", Doc: "low minus high: 0 dB far from the cutoff, and a gain of twice q at it"},
	},
	Params: []dsp.Param{
		{Name: "cutoff", Unit: "Hz", Min: 10, OfRate: highestCutoff, Default: 1000,
			Doc: "corner or centre frequency; ramped over 5 ms"},
		{Name: "q", Min: 0.5, Max: 50, Default: 1,
			Doc: "quality factor, limited to twice the cutoff in Hz; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		s := &svf{rate: rate}
		s.cutoff.ramp.Jump(1000)
		s.q.Jump(1)
		s.Reset()
		return s
	},
}

const (
	svfCutoff = iota
	svfQ
)

const (
	svfLeastQ = 0.5
	svfMostQ  = 50
)

type svf struct {
	rate   float64
	cutoff cutoff
	q      dsp.Ramp
	added  float32 // to q at the last frame
	core   svfCore
}

func (s *svf) Set(p int, v float64) {
	switch p {
	case svfCutoff:
		s.cutoff.ramp.To(v, dsp.RampFrames(s.rate))
	case svfQ:
		s.q.To(v, dsp.RampFrames(s.rate))
	}
}

func (s *svf) Gate(bool) {}

// tune computes the coefficients of a frame with oct and added at its inputs.
func (s *svf) tune(oct, added float32) {
	s.added = added
	f := s.cutoff.next(oct, s.rate)
	q := max(svfLeastQ, min(svfMostQ, s.q.Next()+float64(added)))
	s.core.tune(approx.QuickTanPi(f/s.rate), limitDecay(1/q, f))
}

func (s *svf) Render(in, outs [][]float32) {
	x := in[0]
	oct, added := in[1][:len(x)], in[2][:len(x)]
	lows, highs, bands := outs[0][:len(x)], outs[1][:len(x)], outs[2][:len(x)]
	notches, peaks := outs[3][:len(x)], outs[4][:len(x)]
	core := s.core
	for i, v := range x {
		if s.cutoff.moves(oct[i]) || s.q.Moving() || added[i] != s.added {
			s.core = core
			s.tune(oct[i], added[i])
			core = s.core
		}
		band, low := core.next(float64(v))
		core.flush(low)
		full := float64(core.k * band)
		notch := float64(v) - full
		lows[i], highs[i], bands[i] = float32(low), float32(notch-low), float32(full)
		notches[i], peaks[i] = float32(notch), float32(float64(2*low)-notch)
	}
	s.core = core
}

func (s *svf) Reset() {
	s.cutoff.reset()
	s.q.Jump(s.q.Target())
	s.core = svfCore{}
	s.tune(0, 0)
}

func (s *svf) Save(e *dsp.Encoder) {
	s.cutoff.save(e)
	s.q.Save(e)
	e.Float32(s.added)
	s.core.save(e)
}

func (s *svf) Restore(d *dsp.Decoder) {
	s.cutoff.restore(d)
	s.q.Restore(d)
	s.added = d.Float32()
	s.core.restore(d)
}
