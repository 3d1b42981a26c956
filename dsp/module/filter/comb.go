package filter

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Comb is a tuned delay line in a loop.
var Comb = dsp.Desc{
	Type: "comb",
	Doc:  "Feedback comb: a delay in a loop, tuned in Hz, that resonates at a note and its harmonics.",
	Source: "T. I. Laakso and others, Splitting the unit delay, 1996: Lagrange interpolation; K. Karplus and A. " +
		"Strong, Digital synthesis of plucked-string and drum timbres, 1983",
	Inputs: []dsp.Port{
		{Name: "in", Doc: "signal that excites the resonances"},
		{Name: "pitch", Unit: "oct",
			Doc: "octaves added to freq; the frequency is limited to 20 Hz to an eighth of the rate"},
	},
	Outputs: []dsp.Port{{Name: "out", Doc: "the input and the feedback"}},
	Params: []dsp.Param{
		{Name: "freq", Unit: "Hz", Min: combLowest, Max: 5000, Default: 440,
			Doc: "frequency of the note; ramped over 5 ms"},
		{Name: "feedback", Min: -0.999, Max: 0.999, Default: 0.9,
			Doc: "gain of the loop, limited so that sound falls by 60 dB within 4 s; below 0 it resonates at the " +
				"odd harmonics of half the frequency; ramped over 5 ms"},
		{Name: "damping", Min: 0, Max: 1, Default: 0.1, Doc: "damping of high frequencies; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		c := &comb{rate: rate, line: make([]float32, combLength(rate))}
		c.freq.Jump(440)
		c.feedback.Jump(0.9)
		c.damping.Jump(0.1)
		c.Reset()
		return c
	},
}

const (
	combFreq = iota
	combFeedback
	combDamping
)

const (
	combLowest = 20   // Hz
	combPole   = 0.95 // pole of the loop's low-pass at damping 1
	combMost   = 1e10 // limit of the line's values, far above what inputs of up to 1e6 can reach
)

// combLength returns a power of two that holds a period of the lowest note.
func combLength(rate float64) int {
	n := 16
	for float64(n) < rate/combLowest+8 {
		n *= 2
	}
	return n
}

// comb reads its line by a cubic through four values. The line's delay is a period less the delay
// of the low-pass at the fundamental, so that damping does not detune it.
type comb struct {
	rate                    float64
	freq, feedback, damping dsp.Ramp
	oct                     float32 // pitch at the last frame
	line                    []float32
	at                      uint32     // place of the next value
	back                    uint32     // frames from there to the newest of the four values
	taps                    [4]float64 // weights of the four values, the newest first
	loop, pole              float64    // limited feedback, and pole of the low-pass
	low                     float64
}

func (c *comb) Set(p int, v float64) {
	frames := dsp.RampFrames(c.rate)
	switch p {
	case combFreq:
		c.freq.To(v, frames)
	case combFeedback:
		c.feedback.To(v, frames)
	case combDamping:
		c.damping.To(v, frames)
	}
}

func (c *comb) Gate(bool) {}

// combAtan returns atan(x) for x of 0 or more, within 2e-5. A tenth of a cent needs 3e-4. It is a
// polynomial by C. Hastings, "Approximations for digital computers", 1955.
func combAtan(x float64) float64 {
	y, over := x, x > 1
	if over {
		y = 1 / x
	}
	q := float64(y * y)
	p := float64(0.0208351*q) - 0.0851330
	p = float64(p*q) + 0.1801410
	p = float64(p*q) - 0.3302995
	p = float64(p*q) + 0.9998660
	p = float64(p * y)
	if over {
		return math.Pi/2 - p
	}
	return p
}

// tune computes the coefficients of a frame with oct at its input.
func (c *comb) tune(oct float32) {
	c.oct = oct
	f := float64(c.freq.Next() * approx.QuickExp2(float64(oct)))
	f = max(combLowest, min(c.rate/8, f))
	most := approx.QuickExp2(-1.8 * math.Log2E / f) // 1.8 nepers a second
	c.loop = max(-most, min(most, c.feedback.Next()))
	c.pole = float64(combPole * c.damping.Next())

	t := approx.QuickTanPi(f / c.rate)
	q := float64(t * t)
	phase := combAtan(float64(2*c.pole*t) / (1 + q - float64(c.pole*(1-q)))) // of the low-pass, in radians
	period := c.rate / f
	delay := period - float64(period*phase)/(2*math.Pi)
	if !(delay >= 2) { // or NaN, after a state without meaning was restored
		delay = 2
	}
	delay = min(delay, float64(len(c.line)-4))
	whole := math.Floor(delay)
	c.back = uint32(whole) - 1
	m := delay - whole
	up, down, far := m+1, m-1, m-2
	c.taps[0] = float64(float64(m*down)*far) / -6
	c.taps[1] = float64(float64(up*down)*far) / 2
	c.taps[2] = float64(float64(up*m)*far) / -2
	c.taps[3] = float64(float64(up*m)*down) / 6
}

func (c *comb) Render(in, outs [][]float32) {
	x, oct, out := in[0], in[1], outs[0]
	mask := uint32(len(c.line) - 1)
	at, low, line := c.at, c.low, c.line
	for i := range out {
		if oct[i] != c.oct || c.freq.Moving() || c.feedback.Moving() || c.damping.Moving() {
			c.tune(oct[i])
		}
		from := at - c.back
		v := float64(c.taps[0]*float64(line[from&mask])) + float64(c.taps[1]*float64(line[(from-1)&mask]))
		v += float64(c.taps[2]*float64(line[(from-2)&mask])) + float64(c.taps[3]*float64(line[(from-3)&mask]))
		low = v + float64(c.pole*(low-v))
		if signal.Silent(low) {
			low = 0
		}
		y := float64(x[i]) + float64(c.loop*low)
		if signal.Silent(y) {
			y = 0
		}
		y = max(-combMost, min(combMost, y))
		line[at&mask] = float32(y)
		out[i] = float32(y)
		at = (at + 1) & mask
	}
	c.at, c.low = at, low
}

func (c *comb) Reset() {
	for _, r := range [...]*dsp.Ramp{&c.freq, &c.feedback, &c.damping} {
		r.Jump(r.Target())
	}
	clear(c.line)
	c.at, c.low = 0, 0
	c.tune(0)
}

func (c *comb) Save(e *dsp.Encoder) {
	c.freq.Save(e)
	c.feedback.Save(e)
	c.damping.Save(e)
	e.Float32(c.oct)
	e.Uint32(c.at)
	e.Uint32(c.back)
	for _, v := range [...]float64{c.taps[0], c.taps[1], c.taps[2], c.taps[3], c.loop, c.pole, c.low} {
		e.Float64(v)
	}
	e.Float32s(c.line)
}

func (c *comb) Restore(d *dsp.Decoder) {
	c.freq.Restore(d)
	c.feedback.Restore(d)
	c.damping.Restore(d)
	c.oct = d.Float32()
	c.at, c.back = d.Uint32(), d.Uint32()
	for _, v := range [...]*float64{&c.taps[0], &c.taps[1], &c.taps[2], &c.taps[3], &c.loop, &c.pole, &c.low} {
		*v = d.Float64()
	}
	d.Float32s(c.line)
}
