package control

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Scale is a linear function of its input.
var Scale = dsp.Desc{
	Type: "scale",
	Doc:  "Linear function of a signal: out = in * (mul + by) + add.",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal to scale"},
		{Name: "by", Doc: "added to mul"},
	},
	Outputs:        []dsp.Port{{Name: "out", Doc: "in * (mul + by) + add"}},
	Params:         scaleParams,
	GeneratesSound: true,
	New:            func(rate float64) dsp.Module { return &scale{ramped.New(rate, scaleParams)} },
}

var scaleParams = []dsp.Param{
	{Name: "mul", Min: -1e4, Max: 1e4, Default: 1, Doc: "factor; ramped over 5 ms"},
	{Name: "add", Min: -1e4, Max: 1e4, Doc: "summand; ramped over 5 ms"},
}

type scale struct{ ramped.Params }

func (s *scale) Render(in, outs [][]float32) {
	x, by, out := in[0], in[1], outs[0]
	for i := range out {
		s.Next()
		out[i] = float32(float64(float64(x[i])*(s.Value[0]+float64(by[i]))) + s.Value[1])
	}
}
