// Package reverb has the reverberators.
package reverb

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/delay"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// Reverb is a reverb by a feedback delay network.
var Reverb = dsp.Desc{
	Type: "reverb",
	Doc: "Reverb: a feedback delay network of eight lines with a decay in seconds. The tail fades out over 4 " +
		"s after 20 s of silent input.",
	Source:  "J.-M. Jot and A. Chaigne, Digital Delay Networks for Designing Artificial Reverberators, AES 1991",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "dry signal"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "dry signal and reverb, by mix"}},
	Params:  reverbParams,
	New:     newReverb,
}

var reverbParams = []dsp.Param{
	{Name: "size", Min: 0.5, Max: 2, Default: 1,
		Doc: "size of the room, whose walls are about 18 m apart at 1; a change bends the pitch of the tail for " +
			"0.5 s"},
	{Name: "decay", Unit: "s", Min: 0.1, Max: 20, Default: 2,
		Doc: "time in which the tail falls by 60 dB; the size sets a lower limit; ramped over 5 ms"},
	{Name: "damping", Unit: "Hz", Min: 500, OfRate: 0.49, Default: 5000,
		Doc: "frequency at which the tail falls in half that time; ramped over 5 ms"},
	{Name: "predelay", Unit: "s", Min: 0, Max: reverbPredelayMax, Default: 0.01,
		Doc: "delay before the reverb, in whole frames; a change is crossfaded over 50 ms"},
	{Name: "lowcut", Unit: "Hz", Min: 10, Max: 1000, Default: 40,
		Doc: "cutoff of a high-pass before the reverb, 6 dB an octave; ramped over 5 ms"},
	{Name: "width", Min: 0, Max: 1, Default: 1, Doc: "0 is mono; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.3, Doc: "0 is the input, 1 the reverb; ramped over 5 ms"},
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
	reverbResize      = 0.5    // s of a change of the lines' lengths
	reverbModulation  = 0.0002 // s of modulation of half of the lines, against ringing; a cent of pitch
	reverbModRate     = 0.7    // Hz of the modulation
	reverbDiffusion   = 0.6    // gain of the input's all-passes
	reverbLevel       = 1.0    // of the reverb: noise keeps about its level
)

// Lengths in s: of the lines at size 1, with even ratios, and of the all-passes of each channel.
var (
	reverbLengths   = [reverbLines]float64{0.03123, 0.0361, 0.04165, 0.0481, 0.05548, 0.06415, 0.0739, 0.0834}
	reverbDiffusers = [2][2]float64{{0.00477, 0.01273}, {0.0036, 0.00931}}
)

// reverbDiffuser is a Schroeder all-pass as long as its ring.
type reverbDiffuser struct {
	ring []float32
	pos  uint32
}

func (a *reverbDiffuser) frame(x float64) float64 {
	y := float64(a.ring[a.pos])
	v := x - float64(reverbDiffusion*y)
	a.ring[a.pos] = delay.Flush(v)
	if a.pos++; a.pos == uint32(len(a.ring)) {
		a.pos = 0
	}
	return y + float64(reverbDiffusion*v)
}

// reverb mixes its lines by a Hadamard matrix, which preserves energy. All loss is in the gain and
// the low-pass of each line. These give every line the same loss a second.
type reverb struct {
	rate     float64
	p        [reverbCount]dsp.Ramp
	tap      delay.Tap // the predelay
	guard    delay.TailGuard
	pre      []float32 // left, then right
	prePos   uint32
	cut      float64
	lowcut   [2]delay.OnePole
	diffuser [2][2]reverbDiffuser

	level      dsp.Ramp              // of the input
	length     [reverbLines]dsp.Ramp // in frames
	gain, open [reverbLines]dsp.Ramp // gain of each line, and coefficient of its low-pass
	damper     [reverbLines]delay.OnePole
	ring       []float32 // the lines one after the other, with ringSize frames each
	ringSize   int
	pos        uint32
	phase      uint64 // of the modulation
}

func newReverb(rate float64) dsp.Module {
	r := &reverb{rate: rate, guard: delay.NewTailGuard(rate)}
	pre := max(2, uint32(float64(reverbPredelayMax*rate)+1.5))
	r.tap = delay.NewTap(rate, 0, pre-1)
	r.pre = make([]float32, 2*pre)
	r.ringSize = delay.RingSize(2*reverbLengths[reverbLines-1]+reverbModulation+0.001, rate)
	r.ring = make([]float32, reverbLines*r.ringSize)
	for k := range r.diffuser {
		for i, s := range reverbDiffusers[k] {
			r.diffuser[k][i].ring = make([]float32, reverbPrime(float64(s*rate)))
		}
	}
	dsp.Ramps(r.p[:]).Defaults(reverbParams)
	r.Reset()
	return r
}

// reverbPrime returns the first prime from n on. Lines of prime lengths have few echoes in common.
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

// lengthAt returns the length of line i in frames. A restored state may have any size, so it is
// limited to [0.5, 2].
func (r *reverb) lengthAt(i int, size float64) float64 {
	return float64(reverbPrime(float64(float64(reverbLengths[i]*signal.Clamp(size, 0.5, 2)) * r.rate)))
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
		r.tap.To(float64(v * r.rate))
	case reverbLowcut, reverbWidth, reverbMix:
		r.p[p].To(v, dsp.RampFrames(r.rate))
	}
}

func (r *reverb) Gate(bool) {}

// tune gives each line a loss by its length: 60 dB in decay, and 60 dB in half of that at the
// frequency of damping. There the low-pass has the same loss as the gain, which is exact for the
// trapezoidal rule. So the tail decays equally in all lines. The coefficients have linear ramps
// over frames; with ramps of the parameters a gain would jump near their ends.
func (r *reverb) tune(frames uint32) {
	const log2of1000 = 9.965784284662087
	edge := approx.TanPi(signal.Clamp(r.p[reverbDamping].Target()/r.rate, 0, 0.49))
	energy := 0.0
	for i := range r.gain {
		length := r.lengthAt(i, r.p[reverbSize].Target())
		g := approx.Exp2(-float64(log2of1000*length) / float64(r.rate*r.p[reverbDecay].Target()))
		energy += float64(g * g)
		least := max(g, 0.25) // for a decay shorter than the line; else the low-pass would be slower than the decay
		c := edge / math.Sqrt(1/float64(least*least)-1)
		r.length[i].To(length, frames)
		r.gain[i].To(g, frames)
		r.open[i].To(c/(1+c), frames)
	}
	// The lines raise the power of noise by 1/(1-g^2). The level compensates for that.
	r.level.To(float64(reverbLevel*math.Sqrt(1-float64(energy/reverbLines))), frames)
}
