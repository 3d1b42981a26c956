package shaper

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Crossfade blends two signals.
var Crossfade = dsp.Desc{
	Type: "xfade",
	Doc:  "Crossfade of two signals with equal power: -3 dB each in the middle.",
	Inputs: []dsp.Port{
		{Name: "a", Doc: "signal at mix 0"},
		{Name: "b", Doc: "signal at mix 1"},
		{Name: "mix", Doc: "added to the parameter mix; the sum is limited to 0 to 1"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "the blend"}},
	Params:  xfadeParams,
	New:     func(rate float64) dsp.Module { return &xfade{ramped.New(rate, xfadeParams)} },
}

var xfadeParams = []dsp.Param{{Name: "mix", Min: 0, Max: 1, Default: 0.5, Doc: "from a to b; ramped over 5 ms"}}

type xfade struct{ ramped.Params }

func (x *xfade) Render(in, outs [][]float32) {
	a, b, mod, out := in[0], in[1], in[2], outs[0]
	last := x.Value[0]
	ga, gb := equalPower(last)
	for i := range out {
		x.Next()
		if at := x.Value[0] + float64(mod[i]); at != last {
			last = at
			ga, gb = equalPower(at)
		}
		out[i] = float32(float64(float64(a[i])*ga) + float64(float64(b[i])*gb))
	}
}
