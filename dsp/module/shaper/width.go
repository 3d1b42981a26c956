package shaper

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Width makes a stereo signal narrower or wider.
var Width = dsp.Desc{
	Type:    "width",
	Doc:     "Stereo width: multiplies the difference of the sides by width and keeps their sum.",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "stereo signal"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "the signal, narrower or wider"}},
	Params:  widthParams,
	New:     func(rate float64) dsp.Module { return &width{ramped.New(rate, widthParams)} },
}

var widthParams = []dsp.Param{{Name: "width", Min: 0, Max: 2, Default: 1,
	Doc: "0 is mono, 1 the input; ramped over 5 ms"}}

type width struct{ ramped.Params }

// Render adds the change of the difference to both sides, so that width 1 keeps every bit.
func (w *width) Render(in, outs [][]float32) {
	n := len(outs[0])
	l, r, left, right := in[0][:n], in[1][:n], outs[0], outs[1][:n]
	for i := range left {
		w.Next()
		a, b := float64(l[i]), float64(r[i])
		more := float64(float64((w.Value[0]-1)*0.5) * (a - b))
		left[i], right[i] = float32(a+more), float32(b-more)
	}
}
