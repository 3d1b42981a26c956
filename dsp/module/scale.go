package module

import "github.com/music-chronus/chronus/dsp"

// Scale is a straight line as a function.
var Scale = dsp.Desc{
	Type: "scale",
	Doc:  "out = in * (mul + by) + add: stretches and shifts a signal.",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "what is scaled"},
		{Name: "by", Doc: "added to mul"},
	},
	Outputs:        []dsp.Port{{Name: "out", Doc: "in * (mul + by) + add"}},
	Params:         scaleParams,
	GeneratesSound: true,
	New:            func(rate float64) dsp.Module { return &scale{newKnobs(rate, scaleParams)} },
}

var scaleParams = []dsp.Param{
	{Name: "mul", Min: -1e4, Max: 1e4, Default: 1, Doc: "factor; ramped over 5 ms"},
	{Name: "add", Min: -1e4, Max: 1e4, Doc: "summand; ramped over 5 ms"},
}

type scale struct{ knobs }

func (s *scale) Render(in, outs [][]float32) {
	x, by, out := in[0], in[1], outs[0]
	for i := range out {
		s.next()
		out[i] = float32(float64(float64(x[i])*(s.v[0]+float64(by[i]))) + s.v[1])
	}
}
