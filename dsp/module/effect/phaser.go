package effect

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/delay"
	"github.com/music-chronus/chronus/dsp/internal/signal"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Phaser sweeps notches that are not harmonics.
var Phaser = dsp.Desc{
	Type: "phaser",
	Doc: "Phaser: a chain of first-order all-passes that are swept together. The right channel is a quarter " +
		"turn after the left.",
	Source:  "J. O. Smith, An Allpass Approach to Digital Phasing and Flanging, ICMC 1984",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "dry signal"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "dry signal and chain, by mix"}},
	Params:  phaserParams,
	New: func(rate float64) dsp.Module {
		f := &phaser{rate: rate}
		dsp.Ramps(f.p[:]).Defaults(phaserParams)
		f.taps[int(phaserParams[phaserStages].Default)].Jump(1)
		f.Reset()
		return f
	},
}

var phaserParams = []dsp.Param{
	{Name: "rate", Unit: "Hz", Min: 0.01, Max: 10, Default: 0.3,
		Doc: "frequency of the sweep; the phase is continuous when it changes"},
	{Name: "depth", Min: 0, Max: 1, Default: 0.7,
		Doc: "1 sweeps two octaves up and down from 640 Hz; ramped over 50 ms"},
	{Name: "feedback", Min: -0.95, Max: 0.95, Default: 0.3,
		Doc: "gain from the end of the chain to its start, softly clipped above full scale; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.5,
		Doc: "0 is the input, 1 the chain; the notches are deepest at 0.5; ramped over 5 ms"},
	{Name: "stages", Min: 0, Max: 2, Default: 1, Names: []string{"4", "6", "8"},
		Doc: "number of all-passes, two for each notch; a change is crossfaded over 5 ms"},
}

const (
	phaserRate = iota
	phaserDepth
	phaserFeedback
	phaserMix
	phaserStages
)

const (
	phaserMiddle  = 640.0 // Hz
	phaserOctaves = 2.0   // of the sweep, each way
	phaserStep    = 32    // frames between computed coefficients, which are interpolated linearly
)

// phaser runs eight all-passes for each channel, and takes its output after the fourth, sixth or
// eighth. An all-pass is twice a trapezoidal low-pass less its input.
type phaser struct {
	rate        float64
	p           [4]dsp.Ramp // rate to mix
	taps        [3]dsp.Ramp // weights of the outputs of stages 4, 6 and 8
	phase, step uint64
	open, slope [2]float64 // coefficient of the low-passes, and its change a frame
	count       uint32     // frames until the next computed coefficient
	s           [2][8]float64
	back        [2]float64 // last output of the chain
}

func (f *phaser) Set(p int, v float64) {
	switch p {
	case phaserRate:
		f.p[p].Jump(v)
		f.step = wave.PhaseStep(v, f.rate)
	case phaserDepth:
		f.p[p].To(v, delay.GlideFrames(f.rate))
	case phaserFeedback, phaserMix:
		f.p[p].To(v, dsp.RampFrames(f.rate))
	case phaserStages:
		dsp.Ramps(f.taps[:]).Select(v, dsp.RampFrames(f.rate))
	}
}

func (f *phaser) Gate(bool) {}

// target returns the coefficient at a phase of the sweep.
func (f *phaser) target(depth float64, phase uint64) float64 {
	octaves := float64(float64(phaserOctaves*depth) * approx.SinPhase(uint32(phase>>32)))
	return delay.OnePoleCoefficient(float64(phaserMiddle*approx.Exp2(octaves)), f.rate)
}

// aim sets the slopes for the next phaserStep frames. It also clears a chain that has decayed.
func (f *phaser) aim(depth float64) {
	ahead := f.phase + phaserStep*f.step
	f.slope[0] = (f.target(depth, ahead) - f.open[0]) / phaserStep
	f.slope[1] = (f.target(depth, ahead+1<<62) - f.open[1]) / phaserStep
	f.count = phaserStep
	for k := range f.s {
		most := max(f.back[k], -f.back[k])
		for _, s := range f.s[k] {
			most = max(most, s, -s)
		}
		if most < delay.DenormalFloor {
			f.s[k], f.back[k] = [8]float64{}, 0
		}
	}
}

func (f *phaser) Render(in, outs [][]float32) {
	for i, l := range in[0] {
		r := in[1][i]
		depth := f.p[phaserDepth].Next()
		if f.count == 0 {
			f.aim(depth)
		}
		f.count--
		f.phase += f.step
		f.open[0] += f.slope[0]
		f.open[1] += f.slope[1]
		k := f.p[phaserFeedback].Next()
		a, b, c := f.taps[0].Next(), f.taps[1].Next(), f.taps[2].Next()

		y4, y6, y8 := phaserChain(&f.s[0], float64(l)+float64(k*delay.SoftClip(f.back[0])), f.open[0])
		f.back[0] = float64(a*y4) + float64(b*y6) + float64(c*y8)
		y4, y6, y8 = phaserChain(&f.s[1], float64(r)+float64(k*delay.SoftClip(f.back[1])), f.open[1])
		f.back[1] = float64(a*y4) + float64(b*y6) + float64(c*y8)
		mix := f.p[phaserMix].Next()
		outs[0][i], outs[1][i] = signal.Blend(l, f.back[0], mix), signal.Blend(r, f.back[1], mix)
	}
}

// phaserChain filters a frame and returns the outputs of stages 4, 6 and 8.
func phaserChain(s *[8]float64, x, open float64) (y4, y6, y8 float64) {
	for i := range s {
		v := float64((x - s[i]) * open)
		low := v + s[i]
		s[i] = low + v
		x = float64(2*low) - x
		switch i {
		case 3:
			y4 = x
		case 5:
			y6 = x
		}
	}
	return y4, y6, x
}

func (f *phaser) Reset() {
	dsp.Ramps(f.p[:]).Finish()
	dsp.Ramps(f.taps[:]).Finish()
	*f = phaser{rate: f.rate, p: f.p, taps: f.taps, step: wave.PhaseStep(f.p[phaserRate].Target(), f.rate)}
	depth := f.p[phaserDepth].Target()
	f.open = [2]float64{f.target(depth, 0), f.target(depth, 1<<62)}
}

func (f *phaser) Save(e *dsp.Encoder) {
	dsp.Ramps(f.p[:]).Save(e)
	dsp.Ramps(f.taps[:]).Save(e)
	e.Uint64(f.phase)
	e.Uint64(f.step)
	e.Uint32(f.count)
	for k := range f.s {
		for _, v := range f.s[k] {
			e.Float64(v)
		}
		e.Float64(f.open[k])
		e.Float64(f.slope[k])
		e.Float64(f.back[k])
	}
}

func (f *phaser) Restore(d *dsp.Decoder) {
	dsp.Ramps(f.p[:]).Restore(d)
	dsp.Ramps(f.taps[:]).Restore(d)
	f.phase, f.step, f.count = d.Uint64(), d.Uint64(), d.Uint32()
	if f.count > phaserStep {
		d.Fail()
	}
	for k := range f.s {
		for i := range f.s[k] {
			f.s[k][i] = d.Float64()
		}
		f.open[k], f.slope[k], f.back[k] = d.Float64(), d.Float64(), d.Float64()
	}
}
