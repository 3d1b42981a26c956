package control

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/ramped"
	"github.com/music-chronus/chronus/dsp/internal/random"
)

// LFO is a slow oscillator that moves parameters of other modules.
var LFO = dsp.Desc{
	Type: "lfo",
	Doc: "Low-frequency oscillator for control signals: waves with sharp edges, which are not " +
		"band-limited, and random values.",
	Source: "random values: the finaliser of SplitMix64 (Steele, Lea and Flood, Fast splittable " +
		"pseudorandom number generators, 2014)",
	Inputs:         []dsp.Port{{Name: "rate", Unit: "oct", Doc: "octaves added to freq"}},
	Outputs:        []dsp.Port{{Name: "out", Doc: "the wave times depth"}},
	Params:         lfoParams,
	Gated:          true,
	GeneratesSound: true,
	New: func(rate float64) dsp.Module {
		l := &lfo{Params: ramped.New(rate, lfoParams)}
		l.RampNamed(lfoUnipolar) // a jump would click
		return l
	},
}

var lfoParams = []dsp.Param{
	{Name: "freq", Unit: "Hz", Min: 0.001, Max: 100, Default: 1,
		Doc: "frequency; ramped over 5 ms, with continuous phase"},
	{Name: "shape", Names: []string{"sine", "triangle", "saw", "ramp", "square", "random", "smooth"}, Max: 6,
		Doc: "saw falls, ramp rises, square starts high; random is a new value every cycle, smooth moves from " +
			"one to the next"},
	{Name: "depth", Min: -10, Max: 10, Default: 1, Doc: "linear factor; ramped over 5 ms"},
	{Name: "phase", Min: 0, Max: 1, Doc: "part of a cycle added to the running phase; ramped over 5 ms"},
	{Name: "unipolar", Names: []string{"bipolar", "unipolar"}, Max: 1,
		Doc: "bipolar is -depth to depth, unipolar 0 to depth; ramped over 5 ms"},
	{Name: "sync", Names: []string{"free", "gate"}, Max: 1, Doc: "gate: the cycle restarts when the gate opens"},
	{Name: "seed", Min: 0, Max: 65535, Doc: "selects the values of random and smooth"},
}

const (
	lfoFreq = iota
	lfoShape
	lfoDepth
	lfoPhase
	lfoUnipolar
	lfoSync
	lfoSeed
)

// lfo counts cycles besides the phase. A random value depends only on the number of its cycle, so
// that an offset of the phase can reach into the next cycle.
type lfo struct {
	ramped.Params
	phase, cycle uint64
}

func (l *lfo) Gate(on bool) {
	if on && l.Value[lfoSync] != 0 {
		l.phase = 0
		l.cycle++
	}
}

// step returns the step of the phase in a frame.
func (l *lfo) step(octaves float64) uint64 {
	freq := l.Value[lfoFreq]
	if octaves != 0 {
		freq = float64(freq * approx.CoarseExp2(octaves))
	}
	return uint64(float64(min(freq, 0.49*l.Rate) / l.Rate * (1 << 64)))
}

func (l *lfo) Render(in, outs [][]float32) {
	octaves, out := in[0], outs[0]
	last := float32(0)
	step := l.step(0)
	for i := range out {
		if l.Next() || octaves[i] != last {
			last = octaves[i]
			step = l.step(float64(last))
		}
		at := l.phase + uint64(float64(l.Value[lfoPhase]*(1<<32)))<<32
		cycle := l.cycle
		if at < l.phase || l.Value[lfoPhase] == 1 {
			cycle++
		}
		half := float64(l.Value[lfoUnipolar] * 0.5)
		y := half + float64((1-half)*l.wave(at, cycle))
		out[i] = float32(float64(l.Value[lfoDepth] * y))
		l.phase += step
		if l.phase < step {
			l.cycle++
		}
	}
}

// wave returns the value of the shape at a phase.
func (l *lfo) wave(phase, cycle uint64) float64 {
	x := float64(phase>>11) / (1 << 53) // [0, 1)
	switch l.Value[lfoShape] {
	case 0:
		return approx.SinPhase(uint32(phase >> 32))
	case 1: // starts at 0 and rises, as the sine
		x += 0.75
		if x >= 1 {
			x--
		}
		return float64(4*math.Abs(x-0.5)) - 1
	case 2:
		return 1 - float64(2*x)
	case 3:
		return float64(2*x) - 1
	case 4:
		if x < 0.5 {
			return 1
		}
		return -1
	case 5:
		return l.random(cycle)
	}
	from := l.random(cycle)
	part := float64(float64(x*x) * (3 - float64(2*x)))
	return from + float64((l.random(cycle+1)-from)*part)
}

// random returns a value in [-1, 1) for the number of a cycle.
func (l *lfo) random(cycle uint64) float64 {
	return random.Uniform((cycle + 1 + uint64(l.Value[lfoSeed])<<40) * random.Step)
}

func (l *lfo) Reset() {
	l.Params.Reset()
	l.phase, l.cycle = 0, 0
}

func (l *lfo) Save(e *dsp.Encoder) {
	l.Params.Save(e)
	e.Uint64(l.phase)
	e.Uint64(l.cycle)
}

func (l *lfo) Restore(d *dsp.Decoder) {
	l.Params.Restore(d)
	l.phase, l.cycle = d.Uint64(), d.Uint64()
}
