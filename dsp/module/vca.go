package module

import "github.com/music-chronus/chronus/dsp"

// VCA is an amplifier whose gain is a signal.
var VCA = dsp.Desc{
	Type: "vca",
	Doc:  "Amplifier: its gain is a parameter plus a signal, an envelope as a rule.",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "what is amplified"},
		{Name: "gain", Doc: "linear, added to the parameter gain"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "in times the sum of the gains"}},
	Params:  vcaParams,
	New:     func(rate float64) dsp.Module { return &vca{newKnobs(rate, vcaParams)} },
}

var vcaParams = []dsp.Param{{Name: "gain", Min: 0, Max: 4, Doc: "linear, without the signal; ramped over 5 ms"}}

type vca struct{ knobs }

func (a *vca) Render(in, outs [][]float32) {
	x, gain, out := in[0], in[1], outs[0]
	for i := range out {
		a.next()
		out[i] = float32(float64(float64(x[i]) * (a.v[0] + float64(gain[i]))))
	}
}
