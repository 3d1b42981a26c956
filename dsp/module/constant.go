package module

import "github.com/music-chronus/chronus/dsp"

// Constant is a signal that stands still.
var Constant = dsp.Desc{
	Type:    "const",
	Doc:     "A constant signal.",
	Outputs: []dsp.Port{{Name: "out", Doc: "value"}},
	Params:  constantParams,
	New:     func(rate float64) dsp.Module { return &constant{newKnobs(rate, constantParams)} },
}

var constantParams = []dsp.Param{{Name: "value", Min: -1e4, Max: 1e4, Default: 1, Doc: "ramped over 5 ms"}}

type constant struct{ knobs }

func (c *constant) Render(_, outs [][]float32) {
	out := outs[0]
	for i := range out {
		c.next()
		out[i] = float32(c.v[0])
	}
}
