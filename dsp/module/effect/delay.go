// Package effect has the stereo effects that mix their input with a processed sound, but for
// reverbs.
package effect

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/delay"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Delay repeats its input.
var Delay = dsp.Desc{
	Type: "delay",
	Doc: "Echo of up to 2 s, in stereo or ping-pong, timed in seconds or beats. Repeats above full scale are " +
		"softly clipped and stay below +6 dB. " +
		"They fade out over 4 s after 20 s of silent input.",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "dry signal"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "dry signal and repeats, by mix"}},
	Params:  delayParams,
	New: func(rate float64) dsp.Module {
		d := &echo{rate: rate, guard: delay.NewTailGuard(rate)}
		n := uint32(float64(delaySeconds*rate) + 0.5)
		d.tap = delay.NewTap(rate, 1, n)
		d.ring = make([]float32, 2*n)
		dsp.Ramps(d.p[:]).Defaults(delayParams)
		d.Reset()
		return d
	},
}

var delayParams = []dsp.Param{
	{Name: "time", Unit: "s", Min: 0.001, Max: delaySeconds, Default: 0.35,
		Doc: "time between repeats, in whole frames; a change is crossfaded over 50 ms"},
	{Name: "feedback", Min: 0, Max: 0.98, Default: 0.4, Doc: "gain from a repeat to the next; ramped over 5 ms"},
	{Name: "lowcut", Unit: "Hz", Min: 10, Max: 2000, Default: 80,
		Doc: "cutoff of a high-pass in the feedback, 6 dB an octave; ramped over 5 ms"},
	{Name: "highcut", Unit: "Hz", Min: 200, OfRate: 0.49, Default: 6000,
		Doc: "cutoff of a low-pass in the feedback, 6 dB an octave; ramped over 5 ms"},
	{Name: "pingpong", Min: 0, Max: 1, Names: []string{"off", "on"},
		Doc: "on: the sum of the channels repeats left and right in turn"},
	{Name: "beats", Min: 0, Max: 16, Default: 0,
		Doc: "if not 0, the time is this many beats, halved until it is at most 2 s"},
	{Name: "tempo", Unit: "bpm", Min: 20, Max: 400, Default: 120, Doc: "tempo of the beats"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.35, Doc: "0 is the input, 1 the repeats; ramped over 5 ms"},
}

// delaySeconds is the longest time, in s.
const delaySeconds = 2.0

const (
	delayTime = iota
	delayFeedback
	delayLowcut
	delayHighcut
	delayPingpong
	delayBeats
	delayTempo
	delayMix
	delayCount
)

// echo has a ring for each channel, with filters and a soft clipper in the feedback. The input
// enters unfiltered. The gain of the loop is below 1 at every frequency, since no filter has a
// gain above 1.
type echo struct {
	rate      float64
	p         [delayCount]dsp.Ramp
	tap       delay.Tap
	guard     delay.TailGuard
	low, high [2]delay.OnePole
	cut, open float64   // coefficients of lowcut and highcut
	ring      []float32 // left, then right
	pos       uint32
}

func (d *echo) Set(p int, v float64) {
	if p < 0 || p >= delayCount {
		return
	}
	switch p {
	case delayTime, delayBeats, delayTempo:
		d.p[p].Jump(v)
		d.tap.To(float64(d.seconds() * d.rate))
	default:
		d.p[p].To(v, dsp.RampFrames(d.rate))
	}
}

// seconds returns the time that the parameters set. Halving keeps a time that is too long on the
// beat.
func (d *echo) seconds() float64 {
	beats := d.p[delayBeats].Target()
	if beats == 0 {
		return d.p[delayTime].Target()
	}
	s := float64(beats*60) / d.p[delayTempo].Target()
	for range 8 {
		if s > delaySeconds {
			s /= 2
		}
	}
	return s
}

func (d *echo) Gate(bool) {}

func (d *echo) Render(in, outs [][]float32) {
	n := uint32(len(d.ring) / 2)
	left, right := d.ring[:n], d.ring[n:]
	for i, l := range in[0] {
		r := in[1][i]
		xl, xr := float64(l), float64(r)
		if d.p[delayLowcut].Moving() || d.p[delayHighcut].Moving() {
			d.tune(d.p[delayLowcut].Next(), d.p[delayHighcut].Next())
		}
		weight := d.tap.Next()
		yl, yr := d.tap.Read(left, d.pos, weight), d.tap.Read(right, d.pos, weight)

		fl := d.high[0].LowPass(yl, d.open)
		fl -= d.low[0].LowPass(fl, d.cut)
		fr := d.high[1].LowPass(yr, d.open)
		fr -= d.low[1].LowPass(fr, d.cut)
		k := float64(d.p[delayFeedback].Next() * d.guard.Next(xl, xr))
		fl, fr = float64(k*delay.SoftClip(fl)), float64(k*delay.SoftClip(fr))
		if cross := d.p[delayPingpong].Next(); cross != 0 {
			fl, fr = fl+float64(cross*(fr-fl)), fr+float64(cross*(fl-fr))
			xl += float64(cross * (float64(0.5*(xl+xr)) - xl))
			xr -= float64(cross * xr)
		}
		left[d.pos], right[d.pos] = delay.Flush(xl+fl), delay.Flush(xr+fr)
		if d.pos++; d.pos == n {
			d.pos = 0
		}
		mix := d.p[delayMix].Next()
		outs[0][i], outs[1][i] = signal.Blend(l, yl, mix), signal.Blend(r, yr, mix)
	}
}

func (d *echo) tune(lowcut, highcut float64) {
	d.cut, d.open = delay.OnePoleCoefficient(lowcut, d.rate), delay.OnePoleCoefficient(highcut, d.rate)
}

func (d *echo) Reset() {
	dsp.Ramps(d.p[:]).Finish()
	d.tap.To(float64(d.seconds() * d.rate))
	d.tap.Jump()
	d.guard.Reset()
	d.low, d.high = [2]delay.OnePole{}, [2]delay.OnePole{}
	d.tune(d.p[delayLowcut].Target(), d.p[delayHighcut].Target())
	clear(d.ring)
	d.pos = 0
}

func (d *echo) Save(e *dsp.Encoder) {
	dsp.Ramps(d.p[:]).Save(e)
	d.tap.Save(e)
	d.guard.Save(e)
	for _, v := range [...]float64{d.low[0].State, d.low[1].State, d.high[0].State, d.high[1].State, d.cut, d.open} {
		e.Float64(v)
	}
	e.Uint32(d.pos)
	e.Float32s(d.ring)
}

func (d *echo) Restore(dec *dsp.Decoder) {
	dsp.Ramps(d.p[:]).Restore(dec)
	d.tap.Restore(dec)
	d.guard.Restore(dec)
	for _, v := range [...]*float64{&d.low[0].State, &d.low[1].State, &d.high[0].State, &d.high[1].State, &d.cut, &d.open} {
		*v = dec.Float64()
	}
	d.pos = delay.RestorePos(dec, len(d.ring)/2)
	dec.Float32s(d.ring)
}
