package oscillator

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/random"
)

// Noise is a source of white, pink or brown noise.
var Noise = dsp.Desc{
	Type: "noise",
	Doc:  "Noise. The same seed gives the same noise; all colors have the same power.",
	Source: "SplitMix64 by G. Steele, D. Lea, C. Flood, \"Fast splittable pseudorandom number generators\", " +
		"2014; the pink filter by P. Kellett, musicdsp.org, 2000",
	Outputs: []dsp.Port{{Name: "out", Doc: "noise with an RMS of a quarter of gain"}},
	Params: []dsp.Param{
		{Name: "color", Min: 0, Max: 2, Names: []string{"white", "pink", "brown"},
			Doc: "0, -3 or -6 dB an octave, brown above 20 Hz; a change is crossfaded over 5 ms"},
		{Name: "seed", Min: 0, Max: 65535, Default: 0, Doc: "whole number; setting it restarts the noise"},
		{Name: "gain", Min: 0, Max: 1, Default: 0.5, Doc: "linear; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		n := &noise{rate: rate}
		n.pole = 1 - float64(2*math.Pi*noiseLeak/rate)
		// power is the variance that the leaky integrator and its zero give white noise of
		// variance 1.
		p := n.pole
		power := float64(noiseZero*noiseZero) + float64(2*noiseZero*p) + 1
		n.brownGain = math.Sqrt((1 - float64(p*p)) / power)
		n.gain.Jump(0.5)
		n.mix[0].Jump(1)
		n.Reset()
		return n
	},
}

const (
	noiseColor = iota
	noiseSeed
	noiseGain
)

const (
	noiseLeak   = 20.0     // Hz; brown noise is flat below, so that it stays bounded
	noiseZero   = 0.15     // corrects the slope of the single pole near half the rate
	noiseRMS    = 0.25     // at gain 1; pink and brown noise then reach 1 only every few seconds
	noisePinkBy = 0.327597 // factor to a variance of 1
)

// noise runs the filters of all three colors all the time, so that a change of color needs no
// settling.
type noise struct {
	rate      float64
	pole      float64 // of the leaky integrator
	brownGain float64 // factor to a variance of 1

	seed  float64
	state uint64 // of random.Uniform
	pink  [7]float64
	brown float64
	mix   [3]dsp.Ramp // weights of white, pink and brown
	gain  dsp.Ramp
}

func (n *noise) Set(p int, v float64) {
	frames := dsp.RampFrames(n.rate)
	switch p {
	case noiseColor:
		dsp.Ramps(n.mix[:]).Select(v, frames)
	case noiseSeed:
		n.seed = v
		n.state = random.Uint64(uint64(max(0, min(65535, v))))
	case noiseGain:
		n.gain.To(v, frames)
	}
}

func (n *noise) Gate(bool) {}

func (n *noise) Render(_, outs [][]float32) {
	out := outs[0]
	for i := range out {
		n.state += random.Step
		w := float64(random.Uniform(n.state) * 1.7320508075688772) // variance 1
		y := float64(w * n.mix[0].Next())
		y += float64(n.nextPink(w) * n.mix[1].Next())
		y += float64(n.nextBrown(w) * n.mix[2].Next())
		out[i] = float32(float64(noiseRMS * y * n.gain.Next()))
	}
}

// nextPink filters by a bank of one-pole filters. The slope is within 0.05 dB of -3 dB an octave
// above 1/4800 of the rate.
func (n *noise) nextPink(w float64) float64 {
	b := &n.pink
	b[0] = float64(0.99886*b[0]) + float64(0.0555179*w)
	b[1] = float64(0.99332*b[1]) + float64(0.0750759*w)
	b[2] = float64(0.96900*b[2]) + float64(0.1538520*w)
	b[3] = float64(0.86650*b[3]) + float64(0.3104856*w)
	b[4] = float64(0.55000*b[4]) + float64(0.5329522*w)
	b[5] = float64(-0.7616*b[5]) - float64(0.0168980*w)
	y := ((b[0] + b[1]) + (b[2] + b[3])) + ((b[4] + b[5]) + (b[6] + float64(0.5362*w)))
	b[6] = float64(0.115926 * w)
	return float64(noisePinkBy * y)
}

func (n *noise) nextBrown(w float64) float64 {
	v := float64(n.pole*n.brown) + w
	y := v + float64(noiseZero*n.brown)
	n.brown = v
	return float64(n.brownGain * y)
}

func (n *noise) Reset() {
	n.Set(noiseSeed, n.seed)
	n.pink, n.brown = [7]float64{}, 0
	for i := range n.mix {
		n.mix[i].Jump(n.mix[i].Target())
	}
	n.gain.Jump(n.gain.Target())
}

func (n *noise) Save(e *dsp.Encoder) {
	e.Float64(n.seed)
	e.Uint64(n.state)
	for _, v := range n.pink {
		e.Float64(v)
	}
	e.Float64(n.brown)
	for i := range n.mix {
		n.mix[i].Save(e)
	}
	n.gain.Save(e)
}

func (n *noise) Restore(d *dsp.Decoder) {
	n.seed, n.state = d.Float64(), d.Uint64()
	for i := range n.pink {
		n.pink[i] = d.Float64()
	}
	n.brown = d.Float64()
	for i := range n.mix {
		n.mix[i].Restore(d)
	}
	n.gain.Restore(d)
}
