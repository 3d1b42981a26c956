package module

import "github.com/music-chronus/chronus/dsp"

// Crossfade goes from one signal to another.
var Crossfade = dsp.Desc{
	Type: "xfade",
	Doc:  "Crossfade of two signals with equal power: -3 dB each in the middle.",
	Inputs: []dsp.Port{
		{Name: "a", Doc: "heard alone at 0"},
		{Name: "b", Doc: "heard alone at 1"},
		{Name: "mix", Doc: "added to the parameter mix; the sum is kept within 0 and 1"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "the mixture"}},
	Params:  xfadeParams,
	New:     func(rate float64) dsp.Module { return &xfade{newKnobs(rate, xfadeParams)} },
}

var xfadeParams = []dsp.Param{{Name: "mix", Min: 0, Max: 1, Default: 0.5, Doc: "from a to b; ramped over 5 ms"}}

type xfade struct{ knobs }

func (x *xfade) Render(in, outs [][]float32) {
	a, b, mod, out := in[0], in[1], in[2], outs[0]
	last := x.v[0]
	ga, gb := equalPower(last)
	for i := range out {
		x.next()
		if at := x.v[0] + float64(mod[i]); at != last {
			last = at
			ga, gb = equalPower(at)
		}
		out[i] = float32(float64(float64(a[i])*ga) + float64(float64(b[i])*gb))
	}
}
