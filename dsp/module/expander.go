package module

import "github.com/music-chronus/chronus/dsp"

// Expander makes what is quiet more so.
var Expander = dsp.Desc{
	Type:    "expander",
	Doc:     "Downward expander, a noise gate with a high ratio; both channels get the gain of the louder one.",
	Source:  "static curve: Zölzer (ed.), DAFX, 2nd edition 2011, chapter 4",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "what is expanded"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "expanded"}},
	Params:  expanderParams,
	New: func(rate float64) dsp.Module {
		x := &expander{knobs: newKnobs(rate, expanderParams)}
		x.Reset()
		return x
	},
}

var expanderParams = []dsp.Param{
	{Name: "threshold", Unit: "dB", Min: -80, Max: 0, Default: -40, Doc: "level below which it works; ramped over 5 ms"},
	{Name: "ratio", Min: 1, Max: 50, Default: 4, Doc: "dB of output for a dB of input, below the threshold; ramped over 5 ms"},
	{Name: "range", Unit: "dB", Min: 0, Max: 120, Default: 60, Doc: "the most by which the gain is turned down; ramped over 5 ms"},
	{Name: "attack", Unit: "s", Min: 0.0001, Max: 0.5, Default: 0.001, Doc: "time constant of the gain in dB"},
	{Name: "release", Unit: "s", Min: 0.005, Max: 2, Default: 0.1, Doc: "time constant of the measured level's fall after a peak"},
}

const (
	expanderThreshold = iota
	expanderRatio
	expanderRange
	expanderAttack
	expanderRelease
)

type expander struct {
	knobs
	peak, reduction float64 // linear, and dB
	ceiling         float64 // linear; computed from the knobs as are the next
	up, keep        float64
}

func (x *expander) tune() {
	x.ceiling = gainOf(x.v[expanderThreshold])
	x.up = approach(x.v[expanderAttack], x.rate)
	x.keep = 1 - approach(x.v[expanderRelease], x.rate)
}

// wanted is the static curve: the reduction in dB for a linear level.
func (x *expander) wanted(peak float64) float64 {
	if peak >= x.ceiling {
		return 0
	}
	under := x.v[expanderThreshold] - levelOf(max(peak, quiet))
	return min(x.v[expanderRange], max(0, float64((x.v[expanderRatio]-1)*under)))
}

func (x *expander) Render(in, outs [][]float32) {
	left, right := outs[0], outs[1]
	x.tune()
	for i := range left {
		if x.next() {
			x.tune()
		}
		l, r := in[0][i], in[1][i]
		x.peak = max(louder(l, r), float64(x.peak*x.keep))
		if x.peak < quiet {
			x.peak = 0
		}
		x.reduction += float64(x.up * (x.wanted(x.peak) - x.reduction))
		if x.reduction < 1e-6 { // then nothing is to be computed
			x.reduction = 0
			left[i], right[i] = l, r
			continue
		}
		gain := gainOf(-x.reduction)
		left[i], right[i] = float32(float64(float64(l)*gain)), float32(float64(float64(r)*gain))
	}
}

// Reset begins closed.
func (x *expander) Reset() {
	x.knobs.Reset()
	x.tune()
	x.peak = 0
	x.reduction = x.wanted(0)
}

func (x *expander) Save(e *dsp.Encoder) {
	x.knobs.Save(e)
	e.Float64(x.peak)
	e.Float64(x.reduction)
}

func (x *expander) Restore(d *dsp.Decoder) {
	x.knobs.Restore(d)
	x.peak, x.reduction = d.Float64(), d.Float64()
}
