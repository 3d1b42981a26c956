package control

import (
	"github.com/music-chronus/chronus/dsp"
)

// AD is a percussive envelope as a signal.
var AD = dsp.Desc{
	Type: "ad",
	Doc: "Percussive envelope as a signal from 0 to 1: attack and decay. Opening the gate starts it; closing " +
		"the gate has no effect.",
	Outputs: []dsp.Port{{Name: "out", Doc: "the envelope"}},
	Params: []dsp.Param{
		{Name: "attack", Unit: "s", Min: 0.0001, Max: 10, Default: 0.001,
			Doc: "time from the level at the gate to 1"},
		{Name: "decay", Unit: "s", Min: 0.0001, Max: 10, Default: 0.3, Doc: "time from 1 to 0"},
		{Name: "curve", Max: 1, Names: []string{"lin", "exp"}, Default: 1, Doc: "shape of the segments"},
	},
	Gated: true,
	New: func(rate float64) dsp.Module {
		return &ad{adsr{rate: rate, params: [...]float64{
			adsrAttack: 0.001, adsrDecay: 0.3, adsrSustain: 0, adsrRelease: 0.001, adsrCurve: 1,
		}}}
	},
}

// ad is an adsr that sustains at 0 and ignores the closing of the gate.
type ad struct{ adsr }

func (a *ad) Set(p int, v float64) {
	switch p {
	case 0, 1:
		a.adsr.Set(p, v)
	case 2:
		a.adsr.Set(adsrCurve, v)
	}
}

func (a *ad) Gate(on bool) {
	if on {
		a.adsr.Gate(true)
	}
}

func (a *ad) Render(_, outs [][]float32) {
	out := outs[0]
	for i := range out {
		out[i] = float32(a.next())
	}
}
