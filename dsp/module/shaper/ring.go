package shaper

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Ring multiplies two signals.
var Ring = dsp.Desc{
	Type: "ring",
	Doc:  "Ring modulator: a times b, which has the sums and differences of their frequencies.",
	Inputs: []dsp.Port{
		{Name: "a", Doc: "first signal"},
		{Name: "b", Doc: "second signal"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "a times b"}},
	New:     func(rate float64) dsp.Module { return &ring{ramped.New(rate, nil)} },
}

type ring struct{ ramped.Params }

func (*ring) Render(in, outs [][]float32) {
	out := outs[0]
	a, b := in[0][:len(out)], in[1][:len(out)]
	for i := range out {
		out[i] = float32(a[i] * b[i])
	}
}
