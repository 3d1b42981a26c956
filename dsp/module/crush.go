package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Crush makes a signal as coarse as an old sampler's.
var Crush = dsp.Desc{
	Type:    "crush",
	Doc:     "Bit and rate reduction: values held and rounded, with all the aliasing that makes.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "what is crushed"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "crushed"}},
	Params:  crushParams,
	New: func(rate float64) dsp.Module {
		return &crush{knobs: newKnobs(rate, crushParams), at: 1}
	},
}

var crushParams = []dsp.Param{
	{Name: "bits", Min: 1, Max: 16, Default: 8, Doc: "resolution of [-1, 1], outside of which it clips; 0 stays 0, so that 1 bit has -1, 0 and 1; ramped over 5 ms"},
	{Name: "rate", Unit: "Hz", Min: 100, OfRate: 1, Default: 12000, Doc: "new values a second; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 1, Doc: "0 is the input, 1 the crushed signal; ramped over 5 ms"},
}

const (
	crushBits = iota
	crushRate
	crushMix
)

type crush struct {
	knobs
	at   float64 // of the way to the next value; it is taken at 1
	held float64
}

func (c *crush) Render(in, outs [][]float32) {
	x, out := in[0], outs[0]
	steps := approx.Exp2(c.v[crushBits] - 1)
	for i := range out {
		if c.next() {
			steps = approx.Exp2(c.v[crushBits] - 1)
		}
		dry := float64(x[i])
		if c.at += c.v[crushRate] / c.rate; c.at >= 1 {
			c.at--
			c.held = max(-1, min(1, math.Floor(float64(dry*steps)+0.5)/steps))
		}
		out[i] = float32(dry + float64(c.v[crushMix]*(c.held-dry)))
	}
}

func (c *crush) Reset() {
	c.knobs.Reset()
	c.at, c.held = 1, 0
}

func (c *crush) Save(e *dsp.Encoder) {
	c.knobs.Save(e)
	e.Float64(c.at)
	e.Float64(c.held)
}

func (c *crush) Restore(d *dsp.Decoder) {
	c.knobs.Restore(d)
	c.at, c.held = d.Float64(), d.Float64()
}
