package shaper

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
)

// Send passes a part of a signal to a bus.
var Send = dsp.Desc{
	Type: "send",
	Doc: "Send: the part of a signal that goes to a bus or an effect, while the signal itself goes elsewhere. " +
		"An input sums all sends that end at it. An effect that receives sends should have a mix of 1.",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal to send"},
		{Name: "gain", Doc: "linear, added to the parameter gain"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "the input times the sum of both gains"}},
	Params:  sendParams,
	New:     func(rate float64) dsp.Module { return &vca{ramped.New(rate, sendParams)} },
}

var sendParams = []dsp.Param{{Name: "gain", Min: 0, Max: 2, Default: 0.25, Doc: "linear; ramped over 5 ms"}}

// Bus is a sum of signals.
var Bus = dsp.Desc{
	Type: "bus",
	Doc:  "Bus: the sum of all cables that end at it, with one gain. A mono signal is on both sides.",
	Inputs: []dsp.Port{
		{Name: "in", Stereo: true, Doc: "signals to sum"},
		{Name: "gain", Doc: "linear, added to the parameter gain"},
	},
	Outputs: []dsp.Port{{Name: "out", Stereo: true,
		Doc: "the sum of the signals times the sum of both gains; bit for bit at a gain of 1"}},
	Params: busParams,
	New:    func(rate float64) dsp.Module { return &bus{ramped.New(rate, busParams)} },
}

var busParams = []dsp.Param{{Name: "gain", Min: 0, Max: 2, Default: 1, Doc: "linear; ramped over 5 ms"}}

type bus struct{ ramped.Params }

func (b *bus) Render(in, outs [][]float32) {
	left, right := outs[0], outs[1]
	l, r, gain := in[0][:len(left)], in[1][:len(left)], in[2][:len(left)]
	for i := range left {
		b.Next()
		g := b.Value[0] + float64(gain[i])
		left[i], right[i] = float32(float64(float64(l[i])*g)), float32(float64(float64(r[i])*g))
	}
}
