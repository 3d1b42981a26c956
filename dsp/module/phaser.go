package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Phaser sweeps notches that are not harmonic.
var Phaser = dsp.Desc{
	Type:    "phaser",
	Doc:     "Phaser: a chain of first-order all-passes that sweep together, the right channel a quarter turn after the left.",
	Source:  "J. O. Smith, An Allpass Approach to Digital Phasing and Flanging, ICMC 1984",
	Inputs:  []dsp.Port{{Name: "in", Stereo: true, Doc: "what is phased"}},
	Outputs: []dsp.Port{{Name: "out", Stereo: true, Doc: "input and chain, as mix says"}},
	Params:  phaserParams,
	New: func(rate float64) dsp.Module {
		f := &phaser{rate: rate}
		fxDefaults(f.p[:], phaserParams)
		for i := range f.taps {
			f.taps[i].Jump(weight(i, phaserParams[phaserStages].Default))
		}
		f.Reset()
		return f
	},
}

var phaserParams = []dsp.Param{
	{Name: "rate", Unit: "Hz", Min: 0.01, Max: 10, Default: 0.3, Doc: "of the sweep; its phase goes on over every change"},
	{Name: "depth", Min: 0, Max: 1, Default: 0.7, Doc: "1 sweeps two octaves up and down from 640 Hz; ramped over 50 ms"},
	{Name: "feedback", Min: -0.95, Max: 0.95, Default: 0.3, Doc: "of the chain into itself, bent softly above full scale; ramped over 5 ms"},
	{Name: "mix", Min: 0, Max: 1, Default: 0.5, Doc: "0 is the input, 1 the chain; the notches are deepest at 0.5; ramped over 5 ms"},
	{Name: "stages", Min: 0, Max: 2, Default: 1, Names: []string{"4", "6", "8"}, Doc: "all-passes, two a notch; a change is crossfaded over 5 ms"},
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
	phaserStep    = 32    // frames between coefficients; between them they move in a straight line
)

// phaser always runs eight all-passes a channel, and listens behind the fourth, sixth or eighth. Each
// is twice a trapezoidal low-pass less its input.
type phaser struct {
	rate        float64
	p           [4]dsp.Ramp // rate to mix
	taps        [3]dsp.Ramp // weights behind the stages 4, 6 and 8
	phase, step uint64
	open, slope [2]float64 // the low-passes' coefficient, and what it moves by in a frame
	count       uint32     // frames until the next
	s           [2][8]float64
	back        [2]float64 // the last frame of the chain
}

func (f *phaser) Set(p int, v float64) {
	switch p {
	case phaserRate:
		f.p[p].Jump(v)
		f.step = fxStep(v, f.rate)
	case phaserDepth:
		f.p[p].To(v, max(1, uint32(fxGlide*f.rate)))
	case phaserFeedback, phaserMix:
		f.p[p].To(v, dsp.RampFrames(f.rate))
	case phaserStages:
		for i := range f.taps {
			f.taps[i].To(weight(i, v), dsp.RampFrames(f.rate))
		}
	}
}

func (f *phaser) Gate(bool) {}

// target is the coefficient at a phase of the sweep.
func (f *phaser) target(depth float64, phase uint64) float64 {
	octaves := float64(float64(phaserOctaves*depth) * approx.SinPhase(uint32(phase>>32)))
	return fxOpen(float64(phaserMiddle*approx.Exp2(octaves)), f.rate)
}

// aim sets the slopes for the next frames. A chain that has died away is stopped here.
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
		if most < fxFaint {
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

		y4, y6, y8 := phaserChain(&f.s[0], float64(l)+float64(k*fxSoft(f.back[0])), f.open[0])
		f.back[0] = float64(a*y4) + float64(b*y6) + float64(c*y8)
		y4, y6, y8 = phaserChain(&f.s[1], float64(r)+float64(k*fxSoft(f.back[1])), f.open[1])
		f.back[1] = float64(a*y4) + float64(b*y6) + float64(c*y8)
		mix := f.p[phaserMix].Next()
		outs[0][i], outs[1][i] = fxBlend(l, f.back[0], mix), fxBlend(r, f.back[1], mix)
	}
}

// phaserChain gives what comes out of the stages 4, 6 and 8.
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
	fxSettle(f.p[:])
	fxSettle(f.taps[:])
	*f = phaser{rate: f.rate, p: f.p, taps: f.taps, step: fxStep(f.p[phaserRate].Target(), f.rate)}
	depth := f.p[phaserDepth].Target()
	f.open = [2]float64{f.target(depth, 0), f.target(depth, 1<<62)}
}

func (f *phaser) Save(e *dsp.Encoder) {
	fxSaveRamps(e, f.p[:])
	fxSaveRamps(e, f.taps[:])
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
	fxRestoreRamps(d, f.p[:])
	fxRestoreRamps(d, f.taps[:])
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
