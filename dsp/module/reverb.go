package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Reverb is a feedback delay network.
var Reverb = dsp.Desc{
	Type:    "reverb",
	Doc:     "Reverb: eight delay lines that feed each other, with a decay in seconds; 20 s after the last input the tail fades out.",
	Source:  "J.-M. Jot and A. Chaigne, Digital Delay Networks for Designing Artificial Reverberators, AES 1991",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "what sounds in the room"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "input and room, as mix says"}},
	Params:  reverbParams,
	New:     newReverb,
}

var reverbParams = []dsp.Param{
	{Name: "size", Min: 0.5, Max: 2, Default: 1, Doc: "of the room, 1 has walls around 18 m apart; a change bends the tail's pitch for half a second"},
	{Name: "decay", Unit: "s", Min: 0.1, Max: 20, Default: 2, Doc: "until the tail is 60 dB down, but no shorter than the room lets it be; ramped over 5 ms"},
	{Name: "damping", Unit: "Hz", Min: 500, OfRate: 0.49, Default: 5000, Doc: "where the tail dies in half the decay; ramped over 5 ms"},
	{Name: "predelay", Unit: "s", Min: 0, Max: reverbPredelayMax, Default: 0.01, Doc: "before the room answers, in whole frames; a change is crossfaded over 50 ms"},
	{Name: "lowcut", Unit: "Hz", Min: 10, Max: 1000, Default: 40, Doc: "what is below does not enter the room, 6 dB an octave; ramped over 5 ms"},
	{Name: "width", Min: 0, Max: 1, Default: 1, Doc: "0 is mono; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.3, Doc: "0 is the input, 1 the room; ramped over 5 ms"},
}

const (
	reverbSize = iota
	reverbDecay
	reverbDamping
	reverbPredelay
	reverbLowcut
	reverbWidth
	reverbMix
	reverbCount
)

const (
	reverbPredelayMax = 0.25
	reverbLines       = 8
	reverbResize      = 0.5    // s over which the lines go to a new size
	reverbSway        = 0.0002 // s by which half of the lines sway, against ringing: a cent
	reverbSwayRate    = 0.7    // Hz
	reverbDiffusion   = 0.6    // gain of the input's all-passes
	reverbLevel       = 1.0    // of the room: noise comes out nearly as loud as it is
)

// Lengths in s: of the lines at size 1, spread evenly by ratio, and of each channel's all-passes.
var (
	reverbLengths   = [reverbLines]float64{0.03123, 0.0361, 0.04165, 0.0481, 0.05548, 0.06415, 0.0739, 0.0834}
	reverbDiffusers = [2][2]float64{{0.00477, 0.01273}, {0.0036, 0.00931}}
)

// reverbDiffuser is a Schroeder all-pass of the length of its ring.
type reverbDiffuser struct {
	ring []float32
	pos  uint32
}

func (a *reverbDiffuser) frame(x float64) float64 {
	y := float64(a.ring[a.pos])
	v := x - float64(reverbDiffusion*y)
	a.ring[a.pos] = fxFlush(v)
	if a.pos++; a.pos == uint32(len(a.ring)) {
		a.pos = 0
	}
	return y + float64(reverbDiffusion*v)
}

// reverb mixes its lines by a Hadamard matrix, which keeps energy; all loss is in the lines' gain and low-pass, which
// are such that every line loses equally much in a second.
type reverb struct {
	rate     float64
	p        [reverbCount]dsp.Ramp
	tap      fxTap // the predelay
	guard    fxGuard
	pre      []float32 // left, then right
	prePos   uint32
	cut      float64
	lowcut   [2]fxPole
	diffuser [2][2]reverbDiffuser

	level      dsp.Ramp              // of what enters
	length     [reverbLines]dsp.Ramp // in frames
	gain, open [reverbLines]dsp.Ramp // of a line and its low-pass
	damper     [reverbLines]fxPole
	ring       []float32 // one line after the other, room each
	room       int
	pos        uint32
	phase      uint64 // of the sway
}

func newReverb(rate float64) dsp.Module {
	r := &reverb{rate: rate, guard: newFxGuard(rate)}
	pre := max(2, uint32(float64(reverbPredelayMax*rate)+1.5))
	r.tap = newFxTap(rate, 0, pre-1)
	r.pre = make([]float32, 2*pre)
	r.room = fxRoom(2*reverbLengths[reverbLines-1]+reverbSway+0.001, rate)
	r.ring = make([]float32, reverbLines*r.room)
	for k := range r.diffuser {
		for i, s := range reverbDiffusers[k] {
			r.diffuser[k][i].ring = make([]float32, reverbPrime(float64(s*rate)))
		}
	}
	fxDefaults(r.p[:], reverbParams)
	r.Reset()
	return r
}

// reverbPrime is the first prime number from n on: lines of prime lengths have few echoes in common.
func reverbPrime(n float64) uint32 {
	for p := uint32(max(2, n+0.5)); ; p++ {
		prime := true
		for d := uint32(2); d*d <= p && prime; d++ {
			prime = p%d != 0
		}
		if prime {
			return p
		}
	}
}

// lengthAt is the length of line i, in frames. It is bent to [0.5, 2]: a state restored may hold any size.
func (r *reverb) lengthAt(i int, size float64) float64 {
	return float64(reverbPrime(float64(float64(reverbLengths[i]*fxClamp(size, 0.5, 2)) * r.rate)))
}

func (r *reverb) Set(p int, v float64) {
	switch p {
	case reverbSize:
		r.p[p].Jump(v)
		r.tune(max(1, uint32(reverbResize*r.rate)))
	case reverbDecay, reverbDamping:
		r.p[p].Jump(v)
		r.tune(dsp.RampFrames(r.rate))
	case reverbPredelay:
		r.p[p].Jump(v)
		r.tap.to(float64(v * r.rate))
	case reverbLowcut, reverbWidth, reverbMix:
		r.p[p].To(v, dsp.RampFrames(r.rate))
	}
}

func (r *reverb) Gate(bool) {}

// tune gives each line the loss of its length: 60 dB in decay, and in half of that at the frequency of damping, where the low-pass must
// lose as much again as the gain: for a trapezoidal one that is exact. So a tail has one colour, whichever line it is in. All
// goes there in a straight line over frames; the parameters themselves are no straight way, near their ends a gain would jump.
func (r *reverb) tune(frames uint32) {
	const log2of1000 = 9.965784284662087
	edge := approx.TanPi(fxClamp(r.p[reverbDamping].Target()/r.rate, 0, 0.49))
	energy := 0.0
	for i := range r.gain {
		length := r.lengthAt(i, r.p[reverbSize].Target())
		g := approx.Exp2(-float64(log2of1000*length) / float64(r.rate*r.p[reverbDecay].Target()))
		energy += float64(g * g)
		least := max(g, 0.25) // in a decay shorter than the line, the low-pass must not become slower than that decay
		c := edge / math.Sqrt(1/float64(least*least)-1)
		r.length[i].To(length, frames)
		r.gain[i].To(g, frames)
		r.open[i].To(c/(1+c), frames)
	}
	// what noise builds up in the lines, 1/(1-g^2), is taken off again: a long decay is not louder
	r.level.To(float64(reverbLevel*math.Sqrt(1-float64(energy/reverbLines))), frames)
}
