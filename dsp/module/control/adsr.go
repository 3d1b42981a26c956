// Package control has the modules that make or change signals that move parameters.
package control

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// ADSR applies an envelope to its input.
var ADSR = dsp.Desc{
	Type:    "adsr",
	Doc:     "Envelope applied to its input: attack, decay, sustain and release, with edges exact to the frame.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "signal to shape"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "the input times the envelope"}},
	Params:  adsrParams,
	Gated:   true,
	New: func(rate float64) dsp.Module {
		a := &adsr{rate: rate, params: adsrDefaults}
		a.Reset()
		return a
	},
}

// adsrParams are also the parameters of env.
var adsrParams = []dsp.Param{
	{Name: "attack", Unit: "s", Min: 0.0001, Max: 10, Default: 0.01, Doc: "time from the level at the gate to 1"},
	{Name: "decay", Unit: "s", Min: 0.0001, Max: 10, Default: 0.1, Doc: "time from 1 to sustain"},
	{Name: "sustain", Min: 0, Max: 1, Default: 0.7, Doc: "level while the gate stays open; ramped over 5 ms"},
	{Name: "release", Unit: "s", Min: 0.0001, Max: 10, Default: 0.2,
		Doc: "time from the level at the end of the gate to 0"},
	{Name: "curve", Min: 0, Max: 1, Names: []string{"lin", "exp"}, Doc: "shape of the segments"},
}

// adsrDefaults are the defaults of adsrParams.
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

// bend is the exponent of an exponential segment. The segment falls to e^-bend of its range, and is
// scaled so that it ends exactly at its target.
const bend = 5.0

// adsr computes the level of a segment from the frames since its start instead of adding steps, so
// that its end is exact. A segment keeps the length that it started with.
type adsr struct {
	rate   float64
	params [5]float64

	stage      uint32
	at, length uint32  // frames into the segment, and its frames
	from, to   float64 // levels
	level      float64
	e, r       float64  // exponential: r^at, and r
	sustain    dsp.Ramp // level in the stage sustain
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

// begin starts a segment at the present level. It lasts a time in seconds, at least a frame.
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

// arrive ends a segment at its exact level and starts the next.
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
