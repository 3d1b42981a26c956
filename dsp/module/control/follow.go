package control

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Follow measures the level of a signal.
var Follow = dsp.Desc{
	Type: "follow",
	Doc: "Envelope follower: the magnitude of the input, smoothed by one pole with different times for " +
		"rising and falling.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "signal to measure"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "level of the signal, linear"}},
	Params:  followParams,
	New:     func(rate float64) dsp.Module { return &follow{Params: ramped.New(rate, followParams)} },
}

var followParams = []dsp.Param{
	{Name: "attack", Unit: "s", Min: 0.0001, Max: 1, Default: 0.005,
		Doc: "time constant while the level rises: 63 % of a step"},
	{Name: "release", Unit: "s", Min: 0.001, Max: 1, Default: 0.1, Doc: "time constant while the level falls"},
}

type follow struct {
	ramped.Params
	level float64
}

func (f *follow) Render(in, outs [][]float32) {
	x, out := in[0], outs[0]
	up, down := signal.Smoothing(f.Value[0], f.Rate), signal.Smoothing(f.Value[1], f.Rate)
	y := f.level
	for i := range out {
		if f.Next() {
			up, down = signal.Smoothing(f.Value[0], f.Rate), signal.Smoothing(f.Value[1], f.Rate)
		}
		a, c := math.Abs(float64(x[i])), down
		if a > y {
			c = up
		}
		y += float64(c * (a - y))
		if y < signal.LevelFloor && a < signal.LevelFloor {
			y = 0
		}
		out[i] = float32(y)
	}
	f.level = y
}

func (f *follow) Reset() {
	f.Params.Reset()
	f.level = 0
}

func (f *follow) Save(e *dsp.Encoder) {
	f.Params.Save(e)
	e.Float64(f.level)
}

func (f *follow) Restore(d *dsp.Decoder) {
	f.Params.Restore(d)
	f.level = d.Float64()
}
