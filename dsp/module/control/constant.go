package control

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Constant is a constant signal.
var Constant = dsp.Desc{
	Type:    "const",
	Doc:     "A constant signal.",
	Outputs: []dsp.Port{{Name: "out", Doc: "the parameter value"}},
	Params:  constantParams,
	New:     func(rate float64) dsp.Module { return &constant{ramped.New(rate, constantParams)} },
}

var constantParams = []dsp.Param{{Name: "value", Min: -1e4, Max: 1e4, Default: 1,
	Doc: "value of the signal; ramped over 5 ms"}}

type constant struct{ ramped.Params }

func (c *constant) Render(_, outs [][]float32) {
	out := outs[0]
	for i := range out {
		c.Next()
		out[i] = float32(c.Value[0])
	}
}
