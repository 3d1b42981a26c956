// Package oscillator has the modules that make periodic sounds and noise. They share two inputs
// that move the frequency, and the parameters freq and gain.
package oscillator

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

const (
	oscFreq = iota
	oscGain
)

func oscInputs(more ...dsp.Port) []dsp.Port {
	return append([]dsp.Port{
		{Name: "pitch", Unit: "oct", Doc: "octaves added to freq"},
		{Name: "fm", Unit: "Hz", Doc: "added to the frequency after pitch; the sum is limited to 0 to half the rate"},
	}, more...)
}

func oscParams(more ...dsp.Param) []dsp.Param {
	return append([]dsp.Param{
		{Name: "freq", Unit: "Hz", Min: 0, OfRate: 0.5, Default: 440, Doc: "frequency while pitch and fm are 0"},
		{Name: "gain", Min: 0, Max: 1, Default: 0.5, Doc: "linear; ramped over 5 ms"},
	}, more...)
}

// osc is the phase, the frequency and the gain of an oscillator. A turn of the phase is 2^64, so
// the frequency is exact to rate/2^64 and does not drift.
type osc struct {
	rate      float64
	freq      float64
	pitch, fm float32 // for which step was computed
	step      uint64  // of the phase, a frame
	phase     uint64
	gain      dsp.Ramp
}

func newOsc(rate float64) (o osc) {
	o.rate, o.freq = rate, 440
	o.gain.Jump(0.5)
	o.reset()
	return o
}

// set changes a parameter of oscParams.
func (o *osc) set(p int, v float64) {
	switch p {
	case oscFreq:
		o.freq = v
		o.tune(o.pitch, o.fm)
	case oscGain:
		o.gain.To(v, dsp.RampFrames(o.rate))
	}
}

// at returns the step for the present frequency, pitch and fm.
func (o *osc) at(pitch, fm float32) uint64 {
	if pitch != o.pitch || fm != o.fm {
		o.tune(pitch, fm)
	}
	return o.step
}

func (o *osc) tune(pitch, fm float32) {
	o.pitch, o.fm = pitch, fm
	o.step = wave.PhaseStep(oscBent(o.freq, pitch)+float64(fm), o.rate)
}

// oscBent is freq raised by pitch octaves, exactly freq if that is 0.
func oscBent(freq float64, pitch float32) float64 {
	if pitch == 0 {
		return freq
	}
	return float64(freq * approx.QuickExp2(float64(pitch)))
}

func (o *osc) reset() {
	o.phase = 0
	o.gain.Jump(o.gain.Target())
	o.tune(0, 0)
}

func (o *osc) save(e *dsp.Encoder) {
	e.Float64(o.freq)
	e.Float32(o.pitch)
	e.Float32(o.fm)
	e.Uint64(o.step)
	e.Uint64(o.phase)
	o.gain.Save(e)
}

func (o *osc) restore(d *dsp.Decoder) {
	o.freq, o.pitch, o.fm = d.Float64(), d.Float32(), d.Float32()
	o.step, o.phase = d.Uint64(), d.Uint64()
	o.gain.Restore(d)
}
