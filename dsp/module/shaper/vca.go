// Package shaper has the modules that change level, place in the stereo field, and waveform.
package shaper

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// VCA is an amplifier whose gain is a signal.
var VCA = dsp.Desc{
	Type: "vca",
	Doc:  "Amplifier. Its gain is a parameter plus a signal, usually an envelope.",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal to amplify"},
		{Name: "gain", Doc: "linear, added to the parameter gain"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "the input times the sum of both gains"}},
	Params:  vcaParams,
	New:     func(rate float64) dsp.Module { return &vca{ramped.New(rate, vcaParams)} },
}

var vcaParams = []dsp.Param{{Name: "gain", Min: 0, Max: 4,
	Doc: "linear gain while the input gain is 0; ramped over 5 ms"}}

type vca struct{ ramped.Params }

func (a *vca) Render(in, outs [][]float32) {
	x, gain, out := in[0], in[1], outs[0]
	for i := range out {
		a.Next()
		out[i] = float32(float64(float64(x[i]) * (a.Value[0] + float64(gain[i]))))
	}
}
