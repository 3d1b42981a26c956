package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// ADSR is an envelope over its input.
var ADSR = dsp.Desc{
	Type:    "adsr",
	Doc:     "Envelope over its input: attack, decay, sustain, release, each edge exact to the frame.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "what is shaped"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "in times the envelope"}},
	Params:  adsrParams,
	Gated:   true,
	New: func(rate float64) dsp.Module {
		a := &adsr{rate: rate, params: adsrDefaults}
		a.Reset()
		return a
	},
}

// adsrParams are those of env as well, which is the same without an input.
var adsrParams = []dsp.Param{
	{Name: "attack", Unit: "s", Min: 0.0001, Max: 10, Default: 0.01, Doc: "from the level at the gate to 1"},
	{Name: "decay", Unit: "s", Min: 0.0001, Max: 10, Default: 0.1, Doc: "from 1 to sustain"},
	{Name: "sustain", Min: 0, Max: 1, Default: 0.7, Doc: "level while the gate stays open; ramped over 5 ms"},
	{Name: "release", Unit: "s", Min: 0.0001, Max: 10, Default: 0.2, Doc: "from the level at the end of the gate to 0"},
	{Name: "curve", Min: 0, Max: 1, Names: []string{"lin", "exp"}, Doc: "shape of the segments"},
}

// adsrDefaults are attack, decay, sustain, release and curve, as in the table above.
var adsrDefaults = [...]float64{0.01, 0.1, 0.7, 0.2, 0}

const (
	adsrAttack = iota
	adsrDecay
	adsrSustain
	adsrRelease
	adsrCurve
)

const (
	stageIdle = iota
	stageAttack
	stageDecay
	stageSustain
	stageRelease
)

// bend is how far an exponential segment falls: to e^-5 of its way, from where it is stretched to arrive.
const bend = 5.0

// adsr computes a segment's level from the frames since its start, not by adding steps: its end is
// exact however the frames are cut. A segment keeps the length that it began with.
type adsr struct {
	rate   float64
	params [5]float64

	stage      uint32
	at, length uint32  // frames into the segment, and its frames
	from, to   float64 // levels
	level      float64
	e, r       float64  // exponential: r^at, and r
	sustain    dsp.Ramp // while the stage is sustain
}

func (a *adsr) Set(p int, v float64) {
	if p < 0 || p >= len(a.params) {
		return
	}
	a.params[p] = v
	if p == adsrSustain && a.stage == stageSustain {
		a.sustain.To(v, dsp.RampFrames(a.rate))
	}
}

func (a *adsr) Gate(on bool) {
	switch {
	case on:
		a.begin(stageAttack, 1, a.params[adsrAttack])
	case a.stage != stageIdle && a.stage != stageRelease:
		a.begin(stageRelease, 0, a.params[adsrRelease])
	}
}

// begin starts a segment from the present level, seconds long, at least a frame.
func (a *adsr) begin(stage uint32, to, seconds float64) {
	a.stage, a.from, a.to = stage, a.level, to
	a.at, a.length = 0, max(1, uint32(float64(seconds*a.rate)+0.5))
	a.e, a.r = 1, 0
	if a.params[adsrCurve] != 0 {
		a.r = approx.Exp(-bend / float64(a.length))
	}
}

// next moves by a frame and returns the level.
func (a *adsr) next() float64 {
	switch a.stage {
	case stageIdle:
		return 0
	case stageSustain:
		a.level = a.sustain.Next()
		return a.level
	}
	a.at++
	if a.at >= a.length {
		a.arrive()
		return a.level
	}
	part := float64(a.at) / float64(a.length)
	if a.r != 0 {
		a.e = float64(a.e * a.r)
		part = (1 - a.e) / (1 - endOfBend)
	}
	a.level = a.from + float64((a.to-a.from)*part)
	return a.level
}

// endOfBend is e^-bend.
var endOfBend = approx.Exp(-bend)

// arrive ends a segment, at its exact level, and begins the next.
func (a *adsr) arrive() {
	a.level = a.to
	switch a.stage {
	case stageAttack:
		a.begin(stageDecay, a.params[adsrSustain], a.params[adsrDecay])
	case stageDecay:
		a.stage = stageSustain
		a.sustain.Jump(a.level)
		a.sustain.To(a.params[adsrSustain], dsp.RampFrames(a.rate))
	case stageRelease:
		a.stage = stageIdle
	}
}

func (a *adsr) Render(in, outs [][]float32) {
	x, out := in[0], outs[0]
	for i := range out {
		out[i] = float32(float64(float64(x[i]) * a.next()))
	}
}

func (a *adsr) Reset() {
	*a = adsr{rate: a.rate, params: a.params}
}

func (a *adsr) Save(e *dsp.Encoder) {
	for _, p := range a.params {
		e.Float64(p)
	}
	e.Uint32(a.stage)
	e.Uint32(a.at)
	e.Uint32(a.length)
	for _, v := range [...]float64{a.from, a.to, a.level, a.e, a.r} {
		e.Float64(v)
	}
	a.sustain.Save(e)
}

func (a *adsr) Restore(d *dsp.Decoder) {
	for i := range a.params {
		a.params[i] = d.Float64()
	}
	a.stage, a.at, a.length = d.Uint32(), d.Uint32(), d.Uint32()
	if a.stage > stageRelease {
		d.Fail()
	}
	for _, v := range [...]*float64{&a.from, &a.to, &a.level, &a.e, &a.r} {
		*v = d.Float64()
	}
	a.sustain.Restore(d)
}
