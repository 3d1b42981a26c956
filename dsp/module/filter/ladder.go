package filter

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/signal"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Ladder is a filter of four poles in a loop.
var Ladder = dsp.Desc{
	Type: "ladder",
	Doc:  "Transistor ladder: four poles in a saturating loop, computed at twice the rate.",
	Source: "V. Zavalishin, The Art of VA Filter Design, 2012: the ladder without delay in its loop; poles mixed " +
		"as in the Oberheim Xpander",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal to filter"},
		{Name: "cutoff", Unit: "oct", Doc: "octaves added to cutoff"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "filtered signal"}},
	Params: []dsp.Param{
		{Name: "mode", Min: 0, Max: 3, Names: []string{"lp24", "lp12", "bp", "hp"},
			Doc: "lp24 and lp12 fall by 24 and 12 dB an octave, bp by 12 dB on either side, hp by 24 dB; a " +
				"change is crossfaded over 5 ms"},
		{Name: "cutoff", Unit: "Hz", Min: 10, OfRate: highestCutoff, Default: 1000,
			Doc: "corner frequency and resonance; ramped over 5 ms"},
		{Name: "resonance", Min: 0, Max: 1, Default: 0,
			Doc: "at 1 it rings for 4 s after a sound, and louder than the sound; ramped over 5 ms"},
		{Name: "drive", Unit: "dB", Min: 0, Max: 36, Default: 0,
			Doc: "gain into the saturation, which starts 6 dB above full scale at a drive of 0; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		l := &ladder{rate: rate}
		l.cutoff.ramp.Jump(1000)
		l.drive.Jump(ladderHeadroom)
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

// ladderHeadroom is the gain before the filter, which gives 6 dB of headroom. The output undoes it.
const ladderHeadroom = 0.5

// ladderTaps has the weights of each mode: of the first pole's input and of the output of each
// pole.
var ladderTaps = [4][5]float64{
	{0, 0, 0, 0, 1 / ladderHeadroom},
	{0, 0, 1 / ladderHeadroom, 0, 0},
	{0, 0, 4 / ladderHeadroom, -8 / ladderHeadroom, 4 / ladderHeadroom},
	{1 / ladderHeadroom, -4 / ladderHeadroom, 6 / ladderHeadroom, -4 / ladderHeadroom, 1 / ladderHeadroom},
}

// ladder saturates where the loop closes: it solves the linear loop for the first pole's input and
// passes that through tanh. So the state stays within [-1, 1] for every input and every modulation.
type ladder struct {
	rate     float64
	cutoff   cutoff
	res      dsp.Ramp
	drive    dsp.Ramp // linear
	mix      [5]dsp.Ramp
	moving   uint32     // frames until all ramps have ended
	s        [4]float64 // integrators
	share, k float64    // g/(1+g), g being tan(pi cutoff/(2 rate)), and the loop's gain
	loop     float64    // 1 / (1 + the loop's gain without delay)
	gain     float64    // before the filter
	taps     [5]float64
	up, down wave.HalfBand
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
		l.drive.To(float64(ladderHeadroom*approx.Gain(v)), frames)
	}
	l.moving = frames
}

func (l *ladder) Gate(bool) {}

// ladderLoss returns the part by which the loop's gain must stay below that of self-oscillation,
// so that the resonance falls by 400 dB within 30 s, for g at a rate in Hz. The poles nearest to
// the axis, in both ladders, are a quarter of that part away from it.
func ladderLoss(g, rate float64) float64 {
	const falls = 1.8 // nepers a second
	return float64(2*falls*(1+float64(g*g))) / float64(g*rate)
}

// tune computes the coefficients of a frame with oct at its input.
func (l *ladder) tune(oct float32) {
	g := approx.QuickTanPi(l.cutoff.next(oct, l.rate) / (2 * l.rate))
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
		first, second := l.up.Double(float64(l.gain * float64(x[i])))
		first = l.step(first)
		second = l.step(second)
		y := l.down.Halve(first, second)
		if signal.Silent(y) && x[i] == 0 {
			l.flush()
		}
		out[i] = float32(y)
	}
}

// step filters a frame at twice the rate. The output of each pole is its output without input plus
// a power of share times the input.
func (l *ladder) step(x float64) float64 {
	g, s, taps := l.share, &l.s, &l.taps
	h := 1 - g
	y1 := float64(h * s[0])
	y2 := float64(g*y1) + float64(h*s[1])
	y3 := float64(g*y2) + float64(h*s[2])
	y4 := float64(g*y3) + float64(h*s[3])
	u := approx.QuickTanh(float64((x - float64(l.k*y4)) * l.loop))
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

// flush sets the state to 0 if all of it is silent.
func (l *ladder) flush() {
	for _, v := range l.s {
		if !signal.Silent(v) {
			return
		}
	}
	if l.up.Silent() && l.down.Silent() {
		l.s, l.up, l.down = [4]float64{}, wave.HalfBand{}, wave.HalfBand{}
	}
}

func (l *ladder) Reset() {
	l.cutoff.reset()
	l.res.Jump(l.res.Target())
	l.drive.Jump(l.drive.Target())
	for i := range l.mix {
		l.mix[i].Jump(l.mix[i].Target())
	}
	l.s, l.up, l.down, l.moving = [4]float64{}, wave.HalfBand{}, wave.HalfBand{}, 0
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
	l.up.Save(e)
	l.down.Save(e)
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
	l.up.Restore(d)
	l.down.Restore(d)
}
