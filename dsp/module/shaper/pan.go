package shaper

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Pan places a signal between left and right.
var Pan = dsp.Desc{
	Type: "pan",
	Doc: "Panorama with equal power: the gains are the cosine and sine of a quarter turn, -3 dB each in the " +
		"middle. " +
		"It places a mono signal, and sets the balance of a stereo signal.",
	Inputs: []dsp.Port{
		{Name: "in", Stereo: true, Doc: "signal to pan, mono or stereo"},
		{Name: "pan", Doc: "added to the parameter pan; the sum is limited to -1 to 1"},
	},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "the panned signal"}},
	Params:  panParams,
	New:     func(rate float64) dsp.Module { return &pan{ramped.New(rate, panParams)} },
}

var panParams = []dsp.Param{{Name: "pan", Min: -1, Max: 1, Doc: "-1 is left, 1 right; ramped over 5 ms"}}

type pan struct{ ramped.Params }

func (p *pan) Render(in, outs [][]float32) {
	n := len(outs[0])
	l, r, mod, left, right := in[0][:n], in[1][:n], in[2][:n], outs[0], outs[1][:n]
	last := p.Value[0]
	a, b := equalPower(float64((last + 1) * 0.5))
	for i := range left {
		p.Next()
		if at := p.Value[0] + float64(mod[i]); at != last {
			last = at
			a, b = equalPower(float64((at + 1) * 0.5))
		}
		left[i] = float32(float64(float64(l[i]) * a))
		right[i] = float32(float64(float64(r[i]) * b))
	}
}

// equalPower returns the gains of two signals for a place from 0, the first alone, to 1, the
// second alone. Their squares sum to 1. Places outside are limited. The error is 3.4e-9. A gain of
// 0 is exact, and a gain of 1 is exact when rounded to float32.
func equalPower(at float64) (a, b float64) {
	const quarter = 1 << 30
	phase := uint32(float64(max(0, min(1, at)) * quarter))
	return approx.SinPhase(quarter - phase), approx.SinPhase(phase)
}
