package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Follow measures how loud a signal is.
var Follow = dsp.Desc{
	Type:    "follow",
	Doc:     "Envelope follower: the input's magnitude, smoothed by one pole that has one time for rising and one for falling.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "what is measured"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "its level, linear"}},
	Params:  followParams,
	New:     func(rate float64) dsp.Module { return &follow{knobs: newKnobs(rate, followParams)} },
}

var followParams = []dsp.Param{
	{Name: "attack", Unit: "s", Min: 0.0001, Max: 1, Default: 0.005, Doc: "time constant while it rises: 63 % of a step"},
	{Name: "release", Unit: "s", Min: 0.001, Max: 1, Default: 0.1, Doc: "time constant while it falls"},
}

// quiet is where a measured level counts as 0: -180 dB. From there on down it is nothing to listen to, and at the slowest release would
// take half a minute to tiny.
const quiet = 1e-9

// approach is the part of the way to its input that a smoother with that time constant goes in a frame.
func approach(seconds, rate float64) float64 { return 1 - approx.Exp(-1/float64(seconds*rate)) }

type follow struct {
	knobs
	level float64
}

func (f *follow) Render(in, outs [][]float32) {
	x, out := in[0], outs[0]
	up, down := approach(f.v[0], f.rate), approach(f.v[1], f.rate)
	y := f.level
	for i := range out {
		if f.next() {
			up, down = approach(f.v[0], f.rate), approach(f.v[1], f.rate)
		}
		a, c := math.Abs(float64(x[i])), down
		if a > y {
			c = up
		}
		y += float64(c * (a - y))
		if y < quiet && a < quiet {
			y = 0
		}
		out[i] = float32(y)
	}
	f.level = y
}

func (f *follow) Reset() {
	f.knobs.Reset()
	f.level = 0
}

func (f *follow) Save(e *dsp.Encoder) {
	f.knobs.Save(e)
	e.Float64(f.level)
}

func (f *follow) Restore(d *dsp.Decoder) {
	f.knobs.Restore(d)
	f.level = d.Float64()
}
