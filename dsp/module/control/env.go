package control

import (
	"github.com/music-chronus/chronus/dsp"
)

// Env is an envelope as a signal.
var Env = dsp.Desc{
	Type:    "env",
	Doc:     "Envelope as a signal from 0 to 1: attack, decay, sustain and release, with edges exact to the frame.",
	Outputs: []dsp.Port{{Name: "out", Doc: "the envelope"}},
	Params:  adsrParams,
	Gated:   true,
	New: func(rate float64) dsp.Module {
		return &env{adsr{rate: rate, params: adsrDefaults}}
	},
}

// env is an adsr over a constant 1.
type env struct{ adsr }

func (e *env) Render(_, outs [][]float32) {
	out := outs[0]
	for i := range out {
		out[i] = float32(e.next())
	}
}
