package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// Noise is white, pink or brown noise.
var Noise = dsp.Desc{
	Type:    "noise",
	Doc:     "Noise, the same for the same seed; all colors have the same power.",
	Source:  "SplitMix64 by G. Steele, D. Lea, C. Flood, \"Fast splittable pseudorandom number generators\", 2014; the pink filter by P. Kellett, musicdsp.org, 2000",
	Outputs: []dsp.Port{{Name: "out", Doc: "noise whose RMS is a quarter of gain"}},
	Params: []dsp.Param{
		{Name: "color", Min: 0, Max: 2, Names: []string{"white", "pink", "brown"}, Doc: "0, -3 or -6 dB an octave, brown from 20 Hz up; a change is crossfaded over 5 ms"},
		{Name: "seed", Min: 0, Max: 65535, Default: 0, Doc: "a whole number; setting it begins its noise anew"},
		{Name: "gain", Min: 0, Max: 1, Default: 0.5, Doc: "linear; ramped over 5 ms"},
	},
	New: func(rate float64) dsp.Module {
		n := &noise{rate: rate}
		n.pole = 1 - float64(2*math.Pi*noiseLeak/rate)
		p := n.pole // the variance of the leak fed with noise of 1, and of the zero after it
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
	noiseLeak   = 20.0     // Hz; below it brown noise is flat, so that it does not grow without bound
	noiseZero   = 0.15     // takes off what the one pole lacks in slope towards half the rate
	noiseRMS    = 0.25     // at gain 1: pink and brown then come to 1 every few seconds only
	noisePinkBy = 0.327597 // to a variance of 1
)

// noise runs all three colors all the time, so that a change of color finds the filters as they would be.
type noise struct {
	rate      float64
	pole      float64 // of the leak
	brownGain float64 // to a variance of 1

	seed  float64
	state uint64 // of the generator; its period is 2^64
	pink  [7]float64
	brown float64
	mix   [3]dsp.Ramp // of white, pink and brown
	gain  dsp.Ramp
}

func (n *noise) Set(p int, v float64) {
	frames := dsp.RampFrames(n.rate)
	switch p {
	case noiseColor:
		for i := range n.mix {
			n.mix[i].To(weight(i, v), frames)
		}
	case noiseSeed:
		n.seed = v
		n.state = splitMix(uint64(max(0, min(65535, v))))
	case noiseGain:
		n.gain.To(v, frames)
	}
}

func (n *noise) Gate(bool) {}

// splitMixStep is what SplitMix64's state moves by a number.
const splitMixStep = 0x9e3779b97f4a7c15

// splitMix is the number of SplitMix64 at a state.
func splitMix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// splitMixEven is an even number in [-1, 1) of 53 bits at a state.
func splitMixEven(z uint64) float64 { return float64(int64(splitMix(z))>>11) * (1.0 / (1 << 52)) }

func (n *noise) Render(_, outs [][]float32) {
	out := outs[0]
	for i := range out {
		n.state += splitMixStep
		w := float64(splitMixEven(n.state) * 1.7320508075688772) // variance 1
		y := float64(w * n.mix[0].Next())
		y += float64(n.nextPink(w) * n.mix[1].Next())
		y += float64(n.nextBrown(w) * n.mix[2].Next())
		out[i] = float32(float64(noiseRMS * y * n.gain.Next()))
	}
}

// nextPink is a bank of one-pole filters, within 0.05 dB of -3 dB an octave from 1/4800 of the rate on.
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
