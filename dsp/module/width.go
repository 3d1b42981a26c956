package module

import "github.com/music-chronus/chronus/dsp"

// Width makes a stereo signal narrower or wider.
var Width = dsp.Desc{
	Type:    "width",
	Doc:     "Stereo width: the difference of the sides times width, their sum as it is.",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "stereo"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "the same, narrower or wider"}},
	Params:  widthParams,
	New:     func(rate float64) dsp.Module { return &width{newKnobs(rate, widthParams)} },
}

var widthParams = []dsp.Param{{Name: "width", Min: 0, Max: 2, Default: 1, Doc: "0 is mono, 1 as it came; ramped over 5 ms"}}

type width struct{ knobs }

// Render moves both sides by what their difference is to change: with width 1 every bit stays.
func (w *width) Render(in, outs [][]float32) {
	n := len(outs[0])
	l, r, left, right := in[0][:n], in[1][:n], outs[0], outs[1][:n]
	for i := range left {
		w.next()
		a, b := float64(l[i]), float64(r[i])
		more := float64(float64((w.v[0]-1)*0.5) * (a - b))
		left[i], right[i] = float32(a+more), float32(b-more)
	}
}
