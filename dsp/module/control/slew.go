package control

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Slew limits the slope of a signal.
var Slew = dsp.Desc{
	Type:    "slew",
	Doc:     "Slew limiter: the output follows the input in straight lines, with slopes of at most rise and fall.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "signal to follow"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "the signal with limited slope"}},
	Params:  slewParams,
	New:     func(rate float64) dsp.Module { return &slew{Params: ramped.New(rate, slewParams)} },
}

var slewParams = []dsp.Param{
	{Name: "rise", Unit: "1/s", Min: 0.1, Max: 1e6, Default: 10, Doc: "greatest rise in a second"},
	{Name: "fall", Unit: "1/s", Min: 0.1, Max: 1e6, Default: 10, Doc: "greatest fall in a second"},
}

type slew struct {
	ramped.Params
	y float64
}

func (s *slew) Render(in, outs [][]float32) {
	x, out := in[0], outs[0]
	up, down := s.Value[0]/s.Rate, s.Value[1]/s.Rate
	for i := range out {
		if s.Next() {
			up, down = s.Value[0]/s.Rate, s.Value[1]/s.Rate
		}
		s.y = max(s.y-down, min(s.y+up, float64(x[i])))
		out[i] = float32(s.y)
	}
}

func (s *slew) Reset() {
	s.Params.Reset()
	s.y = 0
}

func (s *slew) Save(e *dsp.Encoder) {
	s.Params.Save(e)
	e.Float64(s.y)
}

func (s *slew) Restore(d *dsp.Decoder) {
	s.Params.Restore(d)
	s.y = d.Float64()
}
