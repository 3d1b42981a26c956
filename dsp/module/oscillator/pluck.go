package oscillator

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/random"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Pluck is a plucked string.
var Pluck = dsp.Desc{
	Type: "pluck",
	Doc:  "Plucked string. Opening the gate plucks it, always with the same noise; closing the gate damps it.",
	Source: "K. Karplus, A. Strong, \"Digital synthesis of plucked-string and drum timbres\", 1983; " +
		"D. Jaffe, J. Smith, \"Extensions of the Karplus-Strong plucked-string algorithm\", 1983",
	Inputs: []dsp.Port{{Name: "pitch", Unit: "oct",
		Doc: "octaves added to freq; the frequency is limited to 20 Hz to a quarter of the rate"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "the string, with an attack about as loud as gain"}},
	Params: []dsp.Param{
		{Name: "freq", Unit: "Hz", Min: 20, OfRate: 0.25, Default: 440, Doc: "frequency while pitch is 0"},
		{Name: "decay", Unit: "s", Min: 0.05, Max: 20, Default: 4,
			Doc: "time in which the fundamental falls by 60 dB while the gate is open; ramped over 5 ms"},
		{Name: "brightness", Min: 0, Max: 1, Default: 0.5,
			Doc: "0: the upper partials are weak and decay fast; 1: those below about 5 kHz last as long as the " +
				"fundamental; ramped over 5 ms"},
		{Name: "position", Min: 0.02, Max: 0.5, Default: 0.2,
			Doc: "where the string is plucked, as a part of its length; takes effect at the next pluck"},
		{Name: "release", Unit: "s", Min: 0.05, Max: 3, Default: 1,
			Doc: "longest decay while the gate is closed; ramped over 5 ms"},
		{Name: "gain", Min: 0, Max: 1, Default: 0.5, Doc: "linear; ramped over 5 ms"},
	},
	Gated: true,
	New: func(rate float64) dsp.Module {
		p := &pluck{rate: rate, freq: 440, decay: 4, position: 0.2, release: 1}
		p.line = make([]float32, int(rate/pluckLowest)+4)
		p.bright.Jump(0.5)
		p.gain.Jump(0.5)
		p.seconds.Jump(1)
		p.Reset()
		return p
	},
}

const (
	pluckFreq = iota
	pluckDecay
	pluckBrightness
	pluckPosition
	pluckRelease
	pluckGain
)

const (
	pluckLowest = 20.0  // Hz; sets the length of the line
	pluckSilent = 1e-12 // -240 dB: smaller values count as silence, so that the longest release ends in time
	pluckLimit  = 4     // greatest magnitude in the line; a moving pitch could add energy
	pluckSeed   = 0x5eed
	pluckOld    = 1 << 31 // frames of a stroke after which they are no longer counted
)

// pluck is a delay line with a low-pass of three points in its loop. The low-pass delays all
// frequencies by one frame, so it does not detune the string; the line is a frame shorter than a
// period. A polynomial through six points interpolates between frames. It attenuates a fundamental
// of 2 kHz by less than 1e-5 a period.
type pluck struct {
	rate, freq               float64
	decay, position, release float64
	seconds, bright, gain    dsp.Ramp // seconds: the present decay

	open, struck bool    // struck: the stroke starts with the next frame, whose pitch it needs
	at           uint32  // frames since the stroke
	length, comb uint32  // frames of the stroke's noise, and of the delay of its inverted copy
	low          float64 // state of the stroke's low-pass
	x1, x2       float64 // last inputs of the loop's low-pass
	line         []float32
	pos          uint32 // place of the next frame

	pitch       float32 // the fields below were computed for pitch, lasts and dull
	lasts, dull float64
	period      float64 // frames
	delay       int
	taps        [6]float64 // weights of the frames from delay-2 to delay+3 ago
	side, loop  float64    // weight of the loop low-pass's outer points; gain a period
	soft        float64    // coefficient of the stroke's low-pass
}

func (p *pluck) Set(param int, v float64) {
	frames := dsp.RampFrames(p.rate)
	switch param {
	case pluckFreq:
		p.freq = v
		p.tune(p.lasts, p.dull)
	case pluckDecay:
		p.decay = v
		p.seconds.To(p.target(), frames)
	case pluckBrightness:
		p.bright.To(v, frames)
	case pluckPosition:
		p.position = v
	case pluckRelease:
		p.release = v
		p.seconds.To(p.target(), frames)
	case pluckGain:
		p.gain.To(v, frames)
	}
}

// target returns the decay for the present gate.
func (p *pluck) target() float64 {
	if p.open {
		return p.decay
	}
	return min(p.decay, p.release)
}

func (p *pluck) Gate(on bool) {
	p.open = on
	if !on {
		p.seconds.To(p.target(), dsp.RampFrames(p.rate))
		return
	}
	p.struck = true
	p.seconds.Jump(p.decay)
	p.tune(p.decay, p.dull)
}

// tune computes the line's length and losses for a decay in s and for 1 less the brightness. The
// low-pass causes at most half of the fundamental's loss in dB, and loop the rest. So the
// fundamental has the decay that was set, and lower frequencies decay too.
func (p *pluck) tune(lasts, dull float64) {
	p.lasts, p.dull = lasts, dull
	f := oscBent(p.freq, p.pitch)
	switch {
	case f > p.rate/4:
		f = p.rate / 4
	case !(f > pluckLowest):
		f = pluckLowest
	}
	p.period = p.rate / f
	d := p.period - 1
	p.delay = int(d)
	p.taps = pluckTaps(d - float64(p.delay))
	const octaves = 9.965784284662087 // 60 dB, a factor of 1000
	half := approx.QuickExp2(-octaves / 2 / float64(lasts*f))
	sine := approx.SinPhase(uint32(float64((1 << 31) * (f / p.rate)))) // of half a frame's angle
	bend := float64(4 * float64(sine*sine))                            // 2 - 2 cos of a frame's angle
	p.side = min(float64(0.25*float64(dull*dull)), (1-half)/bend)
	p.loop = float64(half*half) / (1 - float64(p.side*bend))
	p.soft = 1 - float64(0.85*dull)
}

// pluckTaps returns the weights of the points -2 to 3 in the polynomial through them, at x in [0,
// 1).
func pluckTaps(x float64) (w [6]float64) {
	l1, l2, l3 := x+2, x+1, x
	r1, r2, r3 := x-3, x-2, x-1
	l12, r12 := float64(l1*l2), float64(r1*r2)
	l123, r123 := float64(l12*l3), float64(r12*r3)
	return [6]float64{
		float64(float64(l2*l3)*r123) * (-1.0 / 120), float64(float64(l1*l3)*r123) * (1.0 / 24),
		float64(l12*r123) * (-1.0 / 12), float64(l123*r12) * (1.0 / 12),
		float64(l123*float64(r1*r3)) * (-1.0 / 24), float64(l123*float64(r2*r3)) * (1.0 / 120),
	}
}

func (p *pluck) Render(in, outs [][]float32) {
	out := outs[0]
	pitch := in[0][:len(out)]
	for i := range out {
		if moving := p.seconds.Moving() || p.bright.Moving(); moving || pitch[i] != p.pitch {
			p.pitch = pitch[i]
			p.tune(p.seconds.Next(), 1-p.bright.Next())
		}
		v := p.stroke() + p.feedback()
		v = max(-pluckLimit, min(pluckLimit, v))
		if v < pluckSilent && v > -pluckSilent {
			v = 0
		}
		p.line[p.pos] = float32(v)
		if p.pos++; int(p.pos) == len(p.line) {
			p.pos = 0
		}
		out[i] = float32(float64(v * p.gain.Next()))
	}
}

// feedback returns the line's output after the low-pass. Frames from before the stroke count as 0.
func (p *pluck) feedback() float64 {
	x, age := 0.0, p.delay-2
	k := int(p.pos) - age
	if k < 0 {
		k += len(p.line)
	}
	for _, w := range p.taps {
		if uint32(age) >= p.at {
			break
		}
		x += float64(w * float64(p.line[k]))
		age++
		if k--; k < 0 {
			k += len(p.line)
		}
	}
	y := p.x1 + float64(p.side*((x-p.x1)+(p.x2-p.x1)))
	p.x1, p.x2 = x, p.x1
	if signal.Silent(p.x1) && signal.Silent(p.x2) {
		p.x1, p.x2 = 0, 0
	}
	return float64(p.loop * y)
}

// stroke returns a frame of the excitation: a period of noise, and an inverted copy that is
// delayed by position periods. The copy cancels the partials that have a node where the string is
// plucked.
func (p *pluck) stroke() float64 {
	if p.struck {
		p.struck = false
		p.at, p.length = 0, uint32(p.period+0.5)
		p.comb = max(1, uint32(float64(p.position*p.period)+0.5))
		p.low, p.x1, p.x2 = 0, 0, 0
	}
	e := 0.0
	if n := p.at; n < p.length+p.comb {
		if n < p.length {
			e = random.Uniform(pluckSeed + uint64(n)*random.Step)
		}
		if n >= p.comb {
			e -= random.Uniform(pluckSeed + uint64(n-p.comb)*random.Step)
		}
	}
	if p.at < pluckOld {
		p.at++
	}
	p.low += float64(p.soft * (float64(0.5*e) - p.low))
	if signal.Silent(p.low) {
		p.low = 0
	}
	return p.low
}

func (p *pluck) Reset() {
	p.open, p.struck = false, false
	p.at, p.length, p.comb, p.pos = 0, 0, 0, 0
	p.low, p.x1, p.x2, p.pitch = 0, 0, 0, 0
	clear(p.line)
	p.seconds.Jump(p.target())
	p.bright.Jump(p.bright.Target())
	p.gain.Jump(p.gain.Target())
	p.tune(p.target(), 1-p.bright.Target())
}

func (p *pluck) Save(e *dsp.Encoder) {
	for _, v := range [...]float64{p.freq, p.decay, p.position, p.release, p.lasts, p.dull, p.low, p.x1, p.x2} {
		e.Float64(v)
	}
	p.seconds.Save(e)
	p.bright.Save(e)
	p.gain.Save(e)
	e.Bool(p.open)
	e.Bool(p.struck)
	for _, v := range [...]uint32{p.at, p.length, p.comb, p.pos} {
		e.Uint32(v)
	}
	e.Float32(p.pitch)
	e.Float32s(p.line)
}

func (p *pluck) Restore(d *dsp.Decoder) {
	for _, v := range [...]*float64{&p.freq, &p.decay, &p.position, &p.release, &p.lasts, &p.dull, &p.low, &p.x1, &p.x2} {
		*v = d.Float64()
	}
	p.seconds.Restore(d)
	p.bright.Restore(d)
	p.gain.Restore(d)
	p.open, p.struck = d.Bool(), d.Bool()
	for _, v := range [...]*uint32{&p.at, &p.length, &p.comb, &p.pos} {
		*v = d.Uint32()
	}
	p.pitch = d.Float32()
	d.Float32s(p.line)
	if int(p.pos) >= len(p.line) {
		p.pos = 0
		d.Fail()
	}
	p.tune(p.lasts, p.dull)
}
