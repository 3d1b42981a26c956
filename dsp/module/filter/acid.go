package filter

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/signal"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Acid is the filter of a bass machine with its envelope.
var Acid = dsp.Desc{
	Type: "acid",
	Doc:  "Diode ladder with its own envelope and accent, as in the TB-303, computed at twice the rate.",
	Source: "V. Zavalishin, The Art of VA Filter Design, 2012: the diode ladder; T. Stinchcombe's analysis of " +
		"the TB-303: the capacitors in its loop",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal to filter"},
		{Name: "cutoff", Unit: "oct", Doc: "octaves added to cutoff"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "filtered signal"}},
	Params: []dsp.Param{
		{Name: "cutoff", Unit: "Hz", Min: 20, OfRate: highestCutoff, Default: 500,
			Doc: "frequency of the resonance without the envelope; ramped over 5 ms"},
		{Name: "resonance", Min: 0, Max: 1, Default: 0.7,
			Doc: "at 1 it is just below self-oscillation; ramped over 5 ms"},
		{Name: "envmod", Unit: "oct", Min: 0, Max: 6, Default: 3,
			Doc: "depth of the envelope on the cutoff; ramped over 5 ms"},
		{Name: "decay", Unit: "s", Min: 0.01, Max: 10, Default: 0.4,
			Doc: "time in which the envelope falls to 1/148; takes effect at the next gate"},
		{Name: "accent", Min: 0, Max: 1, Default: 0,
			Doc: "at 1 up to 6 dB louder, up to an octave higher, with a decay of at most 0.2 s; takes effect at " +
				"the next gate"},
		{Name: "drive", Unit: "dB", Min: 0, Max: 36, Default: 0, Doc: "gain into the saturation; ramped over 5 ms"},
	},
	Gated: true,
	New: func(rate float64) dsp.Module {
		a := &acid{rate: rate, decay: 0.4}
		a.cutoff.ramp.Jump(500)
		a.res.Jump(0.7)
		a.envmod.Jump(3)
		a.drive.Jump(ladderHeadroom)
		a.Reset()
		return a
	},
}

const (
	acidCutoff = iota
	acidResonance
	acidEnvmod
	acidDecay
	acidAccent
	acidDrive
)

const (
	acidAttack  = 0.003 // s of the envelope
	acidFall    = 5.0   // nepers of a decay: a factor of 1/148
	acidAccents = 0.2   // s of decay of a full accent
	acidBass    = 80    // Hz, the cutoff of the loop's high-pass
	acidLoop    = 17    // gain of the loop at self-oscillation
)

// acid has four capacitors in a row with diodes between them, so that each loads the one before
// it. In units of the cutoff:
//
//	y1' = u - y1 + y2
//	y2' = (y1 - 2 y2 + y3)/2
//	y3' = (y2 - 2 y3 + y4)/2
//	y4' = (y3 - 2 y4)/2
//
// The trapezoidal rule integrates these equations. The loop saturates where it closes, as in
// ladder.
type acid struct {
	rate                       float64
	cutoff                     cutoff
	res, envmod, drive         dsp.Ramp
	decay, accent              float64
	moving                     uint32 // frames until all ramps have ended
	rise                       uint32 // frames until the envelope reaches 1
	env, envStep               float64
	lift, liftStep, liftTarget float64 // envelope of the accent
	fall                       float64 // factor a frame on both envelopes
	s                          [4]float64
	low                        float64 // integrator of the loop's high-pass
	inverse                    [4][4]float64
	share                      [4]float64 // part of the input that reaches each capacitor without delay
	k, loop                    float64    // the loop's gain, and 1 / (1 + the loop's gain without delay)
	gain                       float64    // before the filter
	up, down                   wave.HalfBand
}

func (a *acid) Set(p int, v float64) {
	frames := dsp.RampFrames(a.rate)
	switch p {
	case acidCutoff:
		a.cutoff.ramp.To(v, frames)
	case acidResonance:
		a.res.To(v, frames)
	case acidEnvmod:
		a.envmod.To(v, frames)
	case acidDecay:
		a.decay = v
	case acidAccent:
		a.accent = v
	case acidDrive:
		a.drive.To(float64(ladderHeadroom*approx.Gain(v)), frames)
	}
	a.moving = frames
}

func (a *acid) Gate(on bool) {
	if !on {
		return
	}
	decay := a.decay + float64(a.accent*(min(a.decay, acidAccents)-a.decay))
	a.fall = approx.Exp(-acidFall / max(1, float64(decay*a.rate)))
	a.rise = max(1, uint32(acidAttack*a.rate))
	a.envStep = (1 - a.env) / float64(a.rise)
	a.liftStep = (a.accent - a.lift) / float64(a.rise)
	a.liftTarget = a.accent
}

// running reports whether the envelope is above 0 or rises.
func (a *acid) running() bool { return a.rise > 0 || a.env > 0 }

// follow moves the envelope by a frame.
func (a *acid) follow() {
	if a.rise > 0 {
		a.rise--
		a.env += a.envStep
		a.lift += a.liftStep
		if a.rise == 0 {
			a.env, a.lift = 1, a.liftTarget
		}
		return
	}
	a.env = float64(a.env * a.fall)
	a.lift = float64(a.lift * a.fall)
	if a.env < 1e-5 { // below a tenth of a cent
		a.env, a.lift = 0, 0
	}
}

// tune computes the coefficients of a frame with oct at its input.
func (a *acid) tune(oct float32) {
	f := a.cutoff.next(oct, a.rate)
	if up := float64(a.env*a.envmod.Next()) + a.lift; up != 0 {
		f = min(float64(highestCutoff*a.rate), float64(f*approx.QuickExp2(up)))
	}
	rate := 2 * a.rate
	g := approx.QuickTanPi(f / rate)
	// At self-oscillation the resonance is at 1/sqrt(2) in units of the cutoff.
	a.k = float64(acidLoop*a.res.Next()) * max(0, 1-ladderLoss(g, rate))
	// The loop attenuates frequencies below the cutoff by 1+k. The gain compensates for a part of
	// it.
	a.gain = float64(a.drive.Next() * (1 + float64(a.k/4)))
	a.solve(float64(math.Sqrt2 * g))
	a.loop = 1 / (1 + float64(float64(a.k*acidPass(a.rate))*a.share[3]))
	if a.moving > 0 {
		a.moving--
	}
}

// solve inverts the matrix of the four equations. It is tridiagonal, and is solved for each
// integrator by elimination from the last equation to the first and back.
func (a *acid) solve(g float64) {
	h := g / 2
	var e, c [4]float64
	before := 0.0
	for i := 3; i > 0; i-- {
		e[i] = 1 / (1 + g - float64(h*before))
		c[i] = float64(h * e[i])
		before = c[i]
	}
	e[0] = 1 / (1 + g - float64(g*before))
	c[0] = float64(g * e[0])
	for j := range e {
		var r [4]float64
		r[j] = e[j]
		for i := j - 1; i >= 0; i-- {
			r[i] = float64(c[i] * r[i+1])
		}
		y := 0.0
		for i := range r {
			y = r[i] + float64(c[i]*y)
			a.inverse[i][j] = y
		}
	}
	for i := range a.share {
		a.share[i] = float64(g * a.inverse[i][0])
	}
}

// acidPass returns 1/(1+g) of the loop's high-pass.
func acidPass(rate float64) float64 { return 1 / (1 + float64(math.Pi/2*acidBass/rate)) }

func (a *acid) Render(in, outs [][]float32) {
	x, oct, out := in[0], in[1], outs[0]
	pass := acidPass(a.rate)
	for i := range out {
		switch {
		case a.running():
			a.follow()
			a.tune(oct[i])
		case a.moving > 0 || oct[i] != a.cutoff.oct:
			a.tune(oct[i])
		}
		first, second := a.up.Double(float64(a.gain * float64(x[i])))
		first = a.step(first, pass)
		second = a.step(second, pass)
		y := a.down.Halve(first, second)
		if signal.Silent(y) && x[i] == 0 {
			a.flush()
		}
		out[i] = float32(float64(y * float64((1/ladderHeadroom)*(1+a.lift))))
	}
}

// acidRow returns the product of a row of the inverse and the integrators.
func acidRow(m, s *[4]float64) float64 {
	return float64(m[0]*s[0]) + float64(m[1]*s[1]) + (float64(m[2]*s[2]) + float64(m[3]*s[3]))
}

// step filters a frame at twice the rate. Each capacitor has its value without input plus its
// share of the input.
func (a *acid) step(x, pass float64) float64 {
	s, share := &a.s, &a.share
	y3 := acidRow(&a.inverse[3], s)
	u := approx.QuickTanh(float64((x - float64(float64(a.k*pass)*(y3-a.low))) * a.loop))
	y0 := acidRow(&a.inverse[0], s) + float64(share[0]*u)
	y1 := acidRow(&a.inverse[1], s) + float64(share[1]*u)
	y2 := acidRow(&a.inverse[2], s) + float64(share[2]*u)
	y3 += float64(share[3] * u)
	s[0] = float64(2*y0) - s[0]
	s[1] = float64(2*y1) - s[1]
	s[2] = float64(2*y2) - s[2]
	s[3] = float64(2*y3) - s[3]
	a.low += float64(2 * float64((1-pass)*(y3-a.low)))
	return y3
}

// flush sets the state to 0 if all of it is silent.
func (a *acid) flush() {
	for _, v := range a.s {
		if !signal.Silent(v) {
			return
		}
	}
	if signal.Silent(a.low) && a.up.Silent() && a.down.Silent() {
		a.s, a.low, a.up, a.down = [4]float64{}, 0, wave.HalfBand{}, wave.HalfBand{}
	}
}

func (a *acid) Reset() {
	for _, r := range [...]*dsp.Ramp{&a.res, &a.envmod, &a.drive} {
		r.Jump(r.Target())
	}
	*a = acid{
		rate: a.rate, cutoff: a.cutoff, res: a.res, envmod: a.envmod, drive: a.drive, decay: a.decay, accent: a.accent,
	}
	a.cutoff.reset()
	a.tune(0)
}

func (a *acid) Save(e *dsp.Encoder) {
	a.cutoff.save(e)
	a.res.Save(e)
	a.envmod.Save(e)
	a.drive.Save(e)
	e.Uint32(a.moving)
	e.Uint32(a.rise)
	for _, v := range a.values() {
		e.Float64(*v)
	}
	for i := range a.inverse {
		for _, v := range a.inverse[i] {
			e.Float64(v)
		}
	}
	a.up.Save(e)
	a.down.Save(e)
}

func (a *acid) Restore(d *dsp.Decoder) {
	a.cutoff.restore(d)
	a.res.Restore(d)
	a.envmod.Restore(d)
	a.drive.Restore(d)
	a.moving, a.rise = d.Uint32(), d.Uint32()
	for _, v := range a.values() {
		*v = d.Float64()
	}
	for i := range a.inverse {
		for j := range a.inverse[i] {
			a.inverse[i][j] = d.Float64()
		}
	}
	a.up.Restore(d)
	a.down.Restore(d)
}

// values returns all other numbers of the state, without the inverse.
func (a *acid) values() [20]*float64 {
	return [...]*float64{
		&a.decay, &a.accent, &a.env, &a.envStep, &a.lift, &a.liftStep, &a.liftTarget, &a.fall,
		&a.s[0], &a.s[1], &a.s[2], &a.s[3], &a.low,
		&a.share[0], &a.share[1], &a.share[2], &a.share[3], &a.k, &a.loop, &a.gain,
	}
}
