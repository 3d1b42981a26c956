package module

import "github.com/music-chronus/chronus/dsp"

// Ring multiplies two signals.
var Ring = dsp.Desc{
	Type: "ring",
	Doc:  "Ring modulator: a times b, the sums and differences of their frequencies.",
	Inputs: []dsp.Port{
		{Name: "a", Doc: "one signal"},
		{Name: "b", Doc: "the other"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "a times b"}},
	New:     func(rate float64) dsp.Module { return &ring{newKnobs(rate, nil)} },
}

type ring struct{ knobs }

func (*ring) Render(in, outs [][]float32) {
	a, b, out := in[0], in[1], outs[0]
	for i := range out {
		out[i] = float32(a[i] * b[i])
	}
}
