package control

import (
	"github.com/music-chronus/chronus/dsp"
)

// Hold is a sample-and-hold.
var Hold = dsp.Desc{
	Type: "hold",
	Doc: "Sample-and-hold: takes a value of its input when the trigger rises above 0.5 or the gate opens, and " +
		"holds it.",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal to sample"},
		{Name: "trigger", Doc: "takes a value where it rises above 0.5"},
	},
	Outputs:        []dsp.Port{{Name: "out", Doc: "the value held, 0 before the first"}},
	Gated:          true,
	GeneratesSound: true,
	New:            func(float64) dsp.Module { return &hold{} },
}

type hold struct {
	value float32
	high  bool // the trigger was above 0.5
	due   bool // the gate has opened
}

func (h *hold) Set(int, float64) {}

func (h *hold) Gate(on bool) { h.due = h.due || on }

func (h *hold) Render(in, outs [][]float32) {
	x, trigger, out := in[0], in[1], outs[0]
	for i := range out {
		high := trigger[i] > 0.5
		if h.due || high && !h.high {
			h.value, h.due = x[i], false
		}
		h.high = high
		out[i] = h.value
	}
}

func (h *hold) Reset() { *h = hold{} }

func (h *hold) Save(e *dsp.Encoder) {
	e.Float32(h.value)
	e.Bool(h.high)
	e.Bool(h.due)
}

func (h *hold) Restore(d *dsp.Decoder) {
	h.value, h.high, h.due = d.Float32(), d.Bool(), d.Bool()
}
