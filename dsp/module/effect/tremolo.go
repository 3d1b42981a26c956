package effect

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/delay"
	"github.com/music-chronus/chronus/dsp/internal/signal"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Tremolo modulates the level.
var Tremolo = dsp.Desc{
	Type:    "tremolo",
	Doc:     "Tremolo: a sine moves the level between 1 and 1 less depth. With a phase between the channels it pans.",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "dry signal"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "dry and modulated signal, by mix"}},
	Params:  tremoloParams,
	New: func(rate float64) dsp.Module {
		t := &tremolo{rate: rate}
		dsp.Ramps(t.p[:]).Defaults(tremoloParams)
		t.Reset()
		return t
	},
}

var tremoloParams = []dsp.Param{
	{Name: "rate", Unit: "Hz", Min: 0.01, Max: 40, Default: 5,
		Doc: "frequency of the modulation; the phase is continuous when it changes"},
	{Name: "depth", Min: 0, Max: 1, Default: 0.5, Doc: "at 1 the level falls to 0; ramped over 5 ms"},
	{Name: "phase", Unit: "deg", Min: 0, Max: 180, Default: 0,
		Doc: "phase of the right channel ahead of the left; ramped over 50 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 1, Doc: "0 is the input, 1 the modulated signal; ramped over 5 ms"},
}

const (
	tremoloRate = iota
	tremoloDepth
	tremoloPhase
	tremoloMix
	tremoloCount
)

type tremolo struct {
	rate        float64
	p           [tremoloCount]dsp.Ramp
	phase, step uint64
}

func (t *tremolo) Set(p int, v float64) {
	switch p {
	case tremoloRate:
		t.p[p].Jump(v)
		t.step = wave.PhaseStep(v, t.rate)
	case tremoloPhase:
		t.p[p].To(v, delay.GlideFrames(t.rate))
	case tremoloDepth, tremoloMix:
		t.p[p].To(v, dsp.RampFrames(t.rate))
	}
}

func (t *tremolo) Gate(bool) {}

func (t *tremolo) Render(in, outs [][]float32) {
	const degree = (1 << 32) / 360.0
	for i, l := range in[0] {
		r := in[1][i]
		half := float64(0.5 * t.p[tremoloDepth].Next())
		phase := uint32(t.phase >> 32)
		t.phase += t.step
		ahead := uint32(signal.Clamp(t.p[tremoloPhase].Next(), 0, 180) * degree)
		yl := float64(float64(l) * (1 - float64(half*(1-approx.SinPhase(phase)))))
		yr := float64(float64(r) * (1 - float64(half*(1-approx.SinPhase(phase+ahead)))))
		mix := t.p[tremoloMix].Next()
		outs[0][i], outs[1][i] = signal.Blend(l, yl, mix), signal.Blend(r, yr, mix)
	}
}

func (t *tremolo) Reset() {
	dsp.Ramps(t.p[:]).Finish()
	t.step, t.phase = wave.PhaseStep(t.p[tremoloRate].Target(), t.rate), 0
}

func (t *tremolo) Save(e *dsp.Encoder) {
	dsp.Ramps(t.p[:]).Save(e)
	e.Uint64(t.phase)
	e.Uint64(t.step)
}

func (t *tremolo) Restore(d *dsp.Decoder) {
	dsp.Ramps(t.p[:]).Restore(d)
	t.phase, t.step = d.Uint64(), d.Uint64()
}
