package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Pan puts a signal somewhere between left and right.
var Pan = dsp.Desc{
	Type: "pan",
	Doc: "Panorama with equal power: left times cos, right times sin of a quarter turn, -3 dB each in the middle. " +
		"A mono signal is moved; of a stereo one the balance is, each side stays on its own.",
	Inputs: []dsp.Port{
		{Name: "in", Stereo: true, Doc: "mono or stereo"},
		{Name: "pan", Doc: "added to the parameter pan; the sum is kept within -1 and 1"},
	},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "in, panned"}},
	Params:  panParams,
	New:     func(rate float64) dsp.Module { return &pan{newKnobs(rate, panParams)} },
}

var panParams = []dsp.Param{{Name: "pan", Min: -1, Max: 1, Doc: "-1 is left, 1 right; ramped over 5 ms"}}

type pan struct{ knobs }

func (p *pan) Render(in, outs [][]float32) {
	n := len(outs[0])
	l, r, mod, left, right := in[0][:n], in[1][:n], in[2][:n], outs[0], outs[1][:n]
	last := p.v[0]
	a, b := equalPower(float64((last + 1) * 0.5))
	for i := range left {
		p.next()
		if at := p.v[0] + float64(mod[i]); at != last {
			last = at
			a, b = equalPower(float64((at + 1) * 0.5))
		}
		left[i] = float32(float64(float64(l[i]) * a))
		right[i] = float32(float64(float64(r[i]) * b))
	}
}

// equalPower are the gains of two signals at a place from 0, where there is only the first, to 1: their squares add up
// to 1. Places outside are moved to the ends. Error 3.4e-9; the gain 0 is exact, and the gain 1 once rounded to float32.
func equalPower(at float64) (a, b float64) {
	const quarter = 1 << 30
	phase := uint32(float64(max(0, min(1, at)) * quarter))
	return approx.SinPhase(quarter - phase), approx.SinPhase(phase)
}
