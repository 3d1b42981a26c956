package module

import (
	"github.com/music-chronus/chronus/dsp"
)

// Delay is an echo.
var Delay = dsp.Desc{
	Type:    "delay",
	Doc:     "Echo of up to 2 s, in stereo or ping-pong, free or in beats. Repeats above full scale are bent softly and stay below +6 dB; 20 s after the last input they fade out in 4 s.",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "what is repeated"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "input and repeats, as mix says"}},
	Params:  delayParams,
	New: func(rate float64) dsp.Module {
		d := &delay{rate: rate, guard: newFxGuard(rate)}
		n := uint32(float64(delaySeconds*rate) + 0.5)
		d.tap = newFxTap(rate, 1, n)
		d.ring = make([]float32, 2*n)
		fxDefaults(d.p[:], delayParams)
		d.Reset()
		return d
	},
}

var delayParams = []dsp.Param{
	{Name: "time", Unit: "s", Min: 0.001, Max: delaySeconds, Default: 0.35, Doc: "between repeats, in whole frames; a change is crossfaded over 50 ms"},
	{Name: "feedback", Min: 0, Max: 0.98, Default: 0.4, Doc: "of a repeat into the next; ramped over 5 ms"},
	{Name: "lowcut", Unit: "Hz", Min: 10, Max: 2000, Default: 80, Doc: "each repeat after the first loses what is below; 6 dB an octave"},
	{Name: "highcut", Unit: "Hz", Min: 200, OfRate: 0.49, Default: 6000, Doc: "each repeat after the first loses what is above; 6 dB an octave"},
	{Name: "pingpong", Min: 0, Max: 1, Names: []string{"off", "on"}, Doc: "on: the sum of the channels, repeated left and right in turn"},
	{Name: "beats", Min: 0, Max: 16, Default: 0, Doc: "if not 0, the time is this many beats, halved until it is at most 2 s"},
	{Name: "tempo", Unit: "bpm", Min: 20, Max: 400, Default: 120, Doc: "of the beats"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.35, Doc: "0 is the input, 1 the repeats; ramped over 5 ms"},
}

// delaySeconds is the longest time.
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

// delay has a ring a channel, with filters and the bend in what is fed back; the input goes in as it is. The loop's gain
// is below 1 at every frequency, since no filter's is above 1.
type delay struct {
	rate      float64
	p         [delayCount]dsp.Ramp
	tap       fxTap
	guard     fxGuard
	low, high [2]fxPole
	cut, open float64   // coefficients of lowcut and highcut
	ring      []float32 // left, then right
	pos       uint32
}

func (d *delay) Set(p int, v float64) {
	if p < 0 || p >= delayCount {
		return
	}
	switch p {
	case delayTime, delayBeats, delayTempo:
		d.p[p].Jump(v)
		d.tap.to(float64(d.seconds() * d.rate))
	default:
		d.p[p].To(v, dsp.RampFrames(d.rate))
	}
}

// seconds is the time asked for. Halving keeps a time that is too long on the beat.
func (d *delay) seconds() float64 {
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

func (d *delay) Gate(bool) {}

func (d *delay) Render(in, outs [][]float32) {
	n := uint32(len(d.ring) / 2)
	left, right := d.ring[:n], d.ring[n:]
	for i, l := range in[0] {
		r := in[1][i]
		xl, xr := float64(l), float64(r)
		if d.p[delayLowcut].Moving() || d.p[delayHighcut].Moving() {
			d.tune(d.p[delayLowcut].Next(), d.p[delayHighcut].Next())
		}
		part := d.tap.part()
		yl, yr := d.tap.read(left, d.pos, part), d.tap.read(right, d.pos, part)

		fl := d.high[0].low(yl, d.open)
		fl -= d.low[0].low(fl, d.cut)
		fr := d.high[1].low(yr, d.open)
		fr -= d.low[1].low(fr, d.cut)
		k := float64(d.p[delayFeedback].Next() * d.guard.next(xl, xr))
		fl, fr = float64(k*fxSoft(fl)), float64(k*fxSoft(fr))
		if cross := d.p[delayPingpong].Next(); cross != 0 {
			fl, fr = fl+float64(cross*(fr-fl)), fr+float64(cross*(fl-fr))
			xl += float64(cross * (float64(0.5*(xl+xr)) - xl))
			xr -= float64(cross * xr)
		}
		left[d.pos], right[d.pos] = fxFlush(xl+fl), fxFlush(xr+fr)
		if d.pos++; d.pos == n {
			d.pos = 0
		}
		mix := d.p[delayMix].Next()
		outs[0][i], outs[1][i] = fxBlend(l, yl, mix), fxBlend(r, yr, mix)
	}
}

func (d *delay) tune(lowcut, highcut float64) {
	d.cut, d.open = fxOpen(lowcut, d.rate), fxOpen(highcut, d.rate)
}

func (d *delay) Reset() {
	fxSettle(d.p[:])
	d.tap.to(float64(d.seconds() * d.rate))
	d.tap.jump()
	d.guard.reset()
	d.low, d.high = [2]fxPole{}, [2]fxPole{}
	d.tune(d.p[delayLowcut].Target(), d.p[delayHighcut].Target())
	clear(d.ring)
	d.pos = 0
}

func (d *delay) Save(e *dsp.Encoder) {
	fxSaveRamps(e, d.p[:])
	d.tap.save(e)
	d.guard.save(e)
	for _, v := range [...]float64{d.low[0].s, d.low[1].s, d.high[0].s, d.high[1].s, d.cut, d.open} {
		e.Float64(v)
	}
	e.Uint32(d.pos)
	e.Float32s(d.ring)
}

func (d *delay) Restore(dec *dsp.Decoder) {
	fxRestoreRamps(dec, d.p[:])
	d.tap.restore(dec)
	d.guard.restore(dec)
	for _, v := range [...]*float64{&d.low[0].s, &d.low[1].s, &d.high[0].s, &d.high[1].s, &d.cut, &d.open} {
		*v = dec.Float64()
	}
	d.pos = fxRestorePos(dec, len(d.ring)/2)
	dec.Float32s(d.ring)
}
