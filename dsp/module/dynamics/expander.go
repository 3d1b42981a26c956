package dynamics

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Expander reduces the level of quiet sound.
var Expander = dsp.Desc{
	Type:    "expander",
	Doc:     "Downward expander; with a high ratio a noise gate. Both channels get the gain of the louder one.",
	Source:  "static curve: Zölzer (ed.), DAFX, 2nd edition 2011, chapter 4",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "signal to expand"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "expanded signal"}},
	Params:  expanderParams,
	New: func(rate float64) dsp.Module {
		x := &expander{Params: ramped.New(rate, expanderParams)}
		x.Reset()
		return x
	},
}

var expanderParams = []dsp.Param{
	{Name: "threshold", Unit: "dB", Min: -80, Max: 0, Default: -40,
		Doc: "level below which it expands; ramped over 5 ms"},
	{Name: "ratio", Min: 1, Max: 50, Default: 4,
		Doc: "dB of output for each dB of input below the threshold; ramped over 5 ms"},
	{Name: "range", Unit: "dB", Min: 0, Max: 120, Default: 60,
		Doc: "greatest reduction of the gain; ramped over 5 ms"},
	{Name: "attack", Unit: "s", Min: 0.0001, Max: 0.5, Default: 0.001, Doc: "time constant of the gain in dB"},
	{Name: "release", Unit: "s", Min: 0.005, Max: 2, Default: 0.1,
		Doc: "time constant of the measured level's fall after a peak"},
}

const (
	expanderThreshold = iota
	expanderRatio
	expanderRange
	expanderAttack
	expanderRelease
)

type expander struct {
	ramped.Params
	peak, reduction float64 // peak: linear; reduction: dB
	ceiling         float64 // the threshold, linear; computed from the parameters, as the next fields
	up, keep        float64 // coefficients of attack and release
}

func (x *expander) tune() {
	x.ceiling = approx.CoarseGain(x.Value[expanderThreshold])
	x.up = signal.Smoothing(x.Value[expanderAttack], x.Rate)
	x.keep = 1 - signal.Smoothing(x.Value[expanderRelease], x.Rate)
}

// wanted returns the static curve: the reduction in dB for a linear level.
func (x *expander) wanted(peak float64) float64 {
	if peak >= x.ceiling {
		return 0
	}
	under := x.Value[expanderThreshold] - approx.CoarseDecibels(max(peak, signal.LevelFloor))
	return min(x.Value[expanderRange], max(0, float64((x.Value[expanderRatio]-1)*under)))
}

func (x *expander) Render(in, outs [][]float32) {
	left, right := outs[0], outs[1]
	x.tune()
	for i := range left {
		if x.Next() {
			x.tune()
		}
		l, r := in[0][i], in[1][i]
		x.peak = max(louder(l, r), float64(x.peak*x.keep))
		if x.peak < signal.LevelFloor {
			x.peak = 0
		}
		x.reduction += float64(x.up * (x.wanted(x.peak) - x.reduction))
		if x.reduction < 1e-6 { // the gate is open: pass every bit
			x.reduction = 0
			left[i], right[i] = l, r
			continue
		}
		gain := approx.CoarseGain(-x.reduction)
		left[i], right[i] = float32(float64(float64(l)*gain)), float32(float64(float64(r)*gain))
	}
}

// Reset closes the gate.
func (x *expander) Reset() {
	x.Params.Reset()
	x.tune()
	x.peak = 0
	x.reduction = x.wanted(0)
}

func (x *expander) Save(e *dsp.Encoder) {
	x.Params.Save(e)
	e.Float64(x.peak)
	e.Float64(x.reduction)
}

func (x *expander) Restore(d *dsp.Decoder) {
	x.Params.Restore(d)
	x.peak, x.reduction = d.Float64(), d.Float64()
}
