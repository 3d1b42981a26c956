package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Ladder is the filter of four poles in a loop.
var Ladder = dsp.Desc{
	Type:   "ladder",
	Doc:    "Transistor ladder: four poles in a loop that saturates, computed at twice the rate.",
	Source: "V. Zavalishin, The Art of VA Filter Design, 2012: the ladder without delay in its loop; poles mixed as in the Oberheim Xpander",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "what is filtered"},
		{Name: "cutoff", Unit: "oct", Doc: "added to the cutoff"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "filtered"}},
	Params: []dsp.Param{
		{Name: "mode", Min: 0, Max: 3, Names: []string{"lp24", "lp12", "bp", "hp"}, Doc: "24 or 12 dB an octave, 12 on either side, or 24 below; a change is crossfaded over 5 ms"},
		{Name: "cutoff", Unit: "Hz", Min: 10, OfRate: highestCutoff, Default: 1000, Doc: "corner frequency, where it also rings; ramped over 5 ms"},
		{Name: "resonance", Min: 0, Max: 1, Default: 0, Doc: "at 1 it rings for 4 s after a sound, and more loudly than that; ramped over 5 ms"},
		{Name: "drive", Unit: "dB", Min: 0, Max: 36, Default: 0, Doc: "into the saturation, which sets in at 6 dB above full scale without it; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		l := &ladder{rate: rate}
		l.cutoff.ramp.Jump(1000)
		l.drive.Jump(ladderRoom)
		for i, w := range ladderTaps[0] {
			l.mix[i].Jump(w)
		}
		l.Reset()
		return l
	},
}

const (
	ladderMode = iota
	ladderCutoff
	ladderResonance
	ladderDrive
)

// ladderRoom is how much smaller signals are inside than outside: 6 dB of headroom.
const ladderRoom = 0.5

// ladderTaps are the modes: how much is heard of what goes into the first pole, and of what comes out of each.
var ladderTaps = [4][5]float64{
	{0, 0, 0, 0, 1 / ladderRoom},
	{0, 0, 1 / ladderRoom, 0, 0},
	{0, 0, 4 / ladderRoom, -8 / ladderRoom, 4 / ladderRoom},
	{1 / ladderRoom, -4 / ladderRoom, 6 / ladderRoom, -4 / ladderRoom, 1 / ladderRoom},
}

// ladder has its saturation where the loop closes: the linear loop is solved for what goes into the first pole, and that is bent by
// tanh. So all that is inside stays within [-1, 1], whatever comes in and however the cutoff moves.
type ladder struct {
	rate     float64
	cutoff   filterCutoff
	res      dsp.Ramp
	drive    dsp.Ramp // linear
	mix      [5]dsp.Ramp
	moving   uint32     // frames until all ramps have arrived
	s        [4]float64 // integrators
	share, k float64    // g/(1+g), g being tan(pi cutoff/(2 rate)), and the loop's gain
	loop     float64    // 1 / (1 + the loop's gain without delay)
	gain     float64    // into it
	taps     [5]float64
	up, down half
}

func (l *ladder) Set(p int, v float64) {
	frames := dsp.RampFrames(l.rate)
	switch p {
	case ladderMode:
		for i, w := range ladderTaps[int(v)&3] {
			l.mix[i].To(w, frames)
		}
	case ladderCutoff:
		l.cutoff.ramp.To(v, frames)
	case ladderResonance:
		l.res.To(v, frames)
	case ladderDrive:
		l.drive.To(float64(ladderRoom*approx.Gain(v)), frames)
	}
	l.moving = frames
}

func (l *ladder) Gate(bool) {}

// ladderLoss is how much of the gain that would ring forever must be missing so that it rings no longer than 30 s, to -400 dB: for
// g at a rate in Hz. The poles next to the axis, of both ladders, are a quarter of that away from it.
func ladderLoss(g, rate float64) float64 {
	const falls = 1.8 // nepers a second
	return float64(2*falls*(1+float64(g*g))) / float64(g*rate)
}

// tune computes the coefficients of the frame that hears oct.
func (l *ladder) tune(oct float32) {
	g := quickTan(l.cutoff.next(oct, l.rate) / (2 * l.rate))
	l.share = g / (1 + g)
	l.k = float64(4*l.res.Next()) * max(0, 1-ladderLoss(g, 2*l.rate))
	square := float64(l.share * l.share)
	l.loop = 1 / (1 + float64(l.k*float64(square*square)))
	l.gain = l.drive.Next()
	for i := range l.taps {
		l.taps[i] = l.mix[i].Next()
	}
	if l.moving > 0 {
		l.moving--
	}
}

func (l *ladder) Render(in, outs [][]float32) {
	x, oct, out := in[0], in[1], outs[0]
	for i := range out {
		if l.moving > 0 || oct[i] != l.cutoff.oct {
			l.tune(oct[i])
		}
		first, second := l.up.double(float64(l.gain * float64(x[i])))
		first = l.step(first)
		second = l.step(second)
		y := l.down.halve(first, second)
		if silent(y) && x[i] == 0 {
			l.hush()
		}
		out[i] = float32(y)
	}
}

// step is a frame at twice the rate. What comes out of each pole is what would if nothing went in, plus a power of share of what goes in.
func (l *ladder) step(x float64) float64 {
	g, s, taps := l.share, &l.s, &l.taps
	h := 1 - g
	y1 := float64(h * s[0])
	y2 := float64(g*y1) + float64(h*s[1])
	y3 := float64(g*y2) + float64(h*s[2])
	y4 := float64(g*y3) + float64(h*s[3])
	u := quickTanh(float64((x - float64(l.k*y4)) * l.loop))
	g2 := float64(g * g)
	y1 += float64(g * u)
	y2 += float64(g2 * u)
	y3 += float64(float64(g2*g) * u)
	y4 += float64(float64(g2*g2) * u)
	s[0] = float64(2*y1) - s[0]
	s[1] = float64(2*y2) - s[1]
	s[2] = float64(2*y3) - s[2]
	s[3] = float64(2*y4) - s[3]
	sum := float64(taps[0]*u) + float64(taps[1]*y1)
	sum += float64(taps[2]*y2) + float64(taps[3]*y3)
	return sum + float64(taps[4]*y4)
}

// hush ends what is silent everywhere.
func (l *ladder) hush() {
	for _, v := range l.s {
		if !silent(v) {
			return
		}
	}
	if l.up.silent() && l.down.silent() {
		l.s, l.up, l.down = [4]float64{}, half{}, half{}
	}
}

func (l *ladder) Reset() {
	l.cutoff.reset()
	l.res.Jump(l.res.Target())
	l.drive.Jump(l.drive.Target())
	for i := range l.mix {
		l.mix[i].Jump(l.mix[i].Target())
	}
	l.s, l.up, l.down, l.moving = [4]float64{}, half{}, half{}, 0
	l.tune(0)
}

func (l *ladder) Save(e *dsp.Encoder) {
	l.cutoff.save(e)
	l.res.Save(e)
	l.drive.Save(e)
	for i := range l.mix {
		l.mix[i].Save(e)
		e.Float64(l.taps[i])
	}
	e.Uint32(l.moving)
	for _, v := range [...]float64{l.s[0], l.s[1], l.s[2], l.s[3], l.share, l.k, l.loop, l.gain} {
		e.Float64(v)
	}
	l.up.save(e)
	l.down.save(e)
}

func (l *ladder) Restore(d *dsp.Decoder) {
	l.cutoff.restore(d)
	l.res.Restore(d)
	l.drive.Restore(d)
	for i := range l.mix {
		l.mix[i].Restore(d)
		l.taps[i] = d.Float64()
	}
	l.moving = d.Uint32()
	for _, v := range [...]*float64{&l.s[0], &l.s[1], &l.s[2], &l.s[3], &l.share, &l.k, &l.loop, &l.gain} {
		*v = d.Float64()
	}
	l.up.restore(d)
	l.down.restore(d)
}
