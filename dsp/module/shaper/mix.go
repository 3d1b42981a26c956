package shaper

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Mix adds four signals.
var Mix = dsp.Desc{
	Type: "mix",
	Doc:  "Mixer of four signals.",
	Inputs: []dsp.Port{
		{Name: "a", Doc: "first signal"},
		{Name: "b", Doc: "second signal"},
		{Name: "c", Doc: "third signal"},
		{Name: "d", Doc: "fourth signal"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "the sum of the signals, each times its gain"}},
	Params:  mixParams,
	New:     func(rate float64) dsp.Module { return &mix{ramped.New(rate, mixParams)} },
}

var mixParams = []dsp.Param{
	{Name: "a", Min: 0, Max: 2, Default: 1, Doc: "gain of a, linear; ramped over 5 ms"},
	{Name: "b", Min: 0, Max: 2, Default: 1, Doc: "gain of b, linear; ramped over 5 ms"},
	{Name: "c", Min: 0, Max: 2, Default: 1, Doc: "gain of c, linear; ramped over 5 ms"},
	{Name: "d", Min: 0, Max: 2, Default: 1, Doc: "gain of d, linear; ramped over 5 ms"},
}

type mix struct{ ramped.Params }

func (m *mix) Render(in, outs [][]float32) {
	a, b, c, d, out := in[0], in[1], in[2], in[3], outs[0]
	for i := range out {
		m.Next()
		ab := float64(float64(a[i])*m.Value[0]) + float64(float64(b[i])*m.Value[1])
		cd := float64(float64(c[i])*m.Value[2]) + float64(float64(d[i])*m.Value[3])
		out[i] = float32(ab + cd)
	}
}
