package module

import "github.com/music-chronus/chronus/dsp"

// Send is how much of a signal goes to a bus besides where else it goes.
var Send = dsp.Desc{
	Type: "send",
	Doc: "Send: the part of a signal that goes to a bus, an effect as a rule, while the signal itself goes on elsewhere. What it ends at sums all sends; an effect " +
		"that is sent to has a mix of 1.",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "what is sent"},
		{Name: "gain", Doc: "linear, added to the parameter gain"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "in times the sum of the gains"}},
	Params:  sendParams,
	New:     func(rate float64) dsp.Module { return &vca{newKnobs(rate, sendParams)} },
}

var sendParams = []dsp.Param{{Name: "gain", Min: 0, Max: 2, Default: 0.25, Doc: "linear; ramped over 5 ms"}}

// Bus is where signals meet.
var Bus = dsp.Desc{
	Type: "bus",
	Doc:  "Bus: the sum of all cables that end at it, with one gain for all. Mono signals are on both sides.",
	Inputs: []dsp.Port{
		{Name: "in", Stereo: true, Doc: "what is summed"},
		{Name: "gain", Doc: "linear, added to the parameter gain"},
	},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "the sum times the gains; at a gain of 1 bit for bit"}},
	Params:  busParams,
	New:     func(rate float64) dsp.Module { return &bus{newKnobs(rate, busParams)} },
}

var busParams = []dsp.Param{{Name: "gain", Min: 0, Max: 2, Default: 1, Doc: "linear; ramped over 5 ms"}}

type bus struct{ knobs }

func (b *bus) Render(in, outs [][]float32) {
	left, right := outs[0], outs[1]
	l, r, gain := in[0][:len(left)], in[1][:len(left)], in[2][:len(left)]
	for i := range left {
		b.next()
		g := b.v[0] + float64(gain[i])
		left[i], right[i] = float32(float64(float64(l[i])*g)), float32(float64(float64(r[i])*g))
	}
}
