package shaper

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Crush reduces the resolution of a signal.
var Crush = dsp.Desc{
	Type:    "crush",
	Doc:     "Bit and rate reduction: values are held and rounded, with full aliasing.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "signal to reduce"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "the signal, reduced"}},
	Params:  crushParams,
	New: func(rate float64) dsp.Module {
		return &crush{Params: ramped.New(rate, crushParams), at: 1}
	},
}

var crushParams = []dsp.Param{
	{Name: "bits", Min: 1, Max: 16, Default: 8,
		Doc: "resolution of [-1, 1]; it clips outside, and 0 stays 0, so that 1 bit has -1, 0 and 1; ramped over " +
			"5 ms"},
	{Name: "rate", Unit: "Hz", Min: 100, OfRate: 1, Default: 12000, Doc: "new values in a second; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 1, Doc: "0 is the input, 1 the reduced signal; ramped over 5 ms"},
}

const (
	crushBits = iota
	crushRate
	crushMix
)

type crush struct {
	ramped.Params
	at   float64 // part of the time to the next value, which is taken at 1
	held float64
}

func (c *crush) Render(in, outs [][]float32) {
	x, out := in[0], outs[0]
	steps := approx.Exp2(c.Value[crushBits] - 1)
	for i := range out {
		if c.Next() {
			steps = approx.Exp2(c.Value[crushBits] - 1)
		}
		dry := float64(x[i])
		if c.at += c.Value[crushRate] / c.Rate; c.at >= 1 {
			c.at--
			c.held = max(-1, min(1, math.Floor(float64(dry*steps)+0.5)/steps))
		}
		out[i] = float32(dry + float64(c.Value[crushMix]*(c.held-dry)))
	}
}

func (c *crush) Reset() {
	c.Params.Reset()
	c.at, c.held = 1, 0
}

func (c *crush) Save(e *dsp.Encoder) {
	c.Params.Save(e)
	e.Float64(c.at)
	e.Float64(c.held)
}

func (c *crush) Restore(d *dsp.Decoder) {
	c.Params.Restore(d)
	c.at, c.held = d.Float64(), d.Float64()
}
