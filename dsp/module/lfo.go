package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// LFO is a slow oscillator that moves other parameters.
var LFO = dsp.Desc{
	Type:           "lfo",
	Doc:            "Low-frequency oscillator for control: waves with sharp edges, not band-limited, and random values.",
	Source:         "random values: the finaliser of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014)",
	Inputs:         []dsp.Port{{Name: "rate", Unit: "oct", Doc: "octaves added to freq"}},
	Outputs:        []dsp.Port{{Name: "out", Doc: "depth times the wave"}},
	Params:         lfoParams,
	Gated:          true,
	GeneratesSound: true,
	New: func(rate float64) dsp.Module {
		l := &lfo{knobs: newKnobs(rate, lfoParams)}
		l.jumps &^= 1 << lfoUnipolar // it would click
		return l
	},
}

var lfoParams = []dsp.Param{
	{Name: "freq", Unit: "Hz", Min: 0.001, Max: 100, Default: 1, Doc: "frequency; ramped over 5 ms, the phase goes on"},
	{Name: "shape", Names: []string{"sine", "triangle", "saw", "ramp", "square", "random", "smooth"}, Max: 6,
		Doc: "saw falls, ramp rises, square is up first; random is a new value every cycle, smooth goes from one to the next"},
	{Name: "depth", Min: -10, Max: 10, Default: 1, Doc: "linear factor; ramped over 5 ms"},
	{Name: "phase", Min: 0, Max: 1, Doc: "of a cycle, added to the running phase; ramped over 5 ms"},
	{Name: "unipolar", Names: []string{"bipolar", "unipolar"}, Max: 1, Doc: "bipolar is -depth to depth, unipolar 0 to depth; ramped over 5 ms"},
	{Name: "sync", Names: []string{"free", "gate"}, Max: 1, Doc: "gate: the cycle begins anew when the gate opens"},
	{Name: "seed", Min: 0, Max: 65535, Doc: "of random and smooth: another seed, other values"},
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

// lfo counts cycles beside the phase. A random value is a hash of the cycle's number, so that an
// offset of phase reaches over the end of a cycle.
type lfo struct {
	knobs
	phase, cycle uint64
}

func (l *lfo) Gate(on bool) {
	if on && l.v[lfoSync] != 0 {
		l.phase = 0
		l.cycle++
	}
}

func (l *lfo) advance(octaves float64) uint64 {
	freq := l.v[lfoFreq]
	if octaves != 0 {
		freq = float64(freq * octavesOf(octaves))
	}
	return uint64(float64(min(freq, 0.49*l.rate) / l.rate * (1 << 64)))
}

func (l *lfo) Render(in, outs [][]float32) {
	octaves, out := in[0], outs[0]
	last := float32(0)
	advance := l.advance(0)
	for i := range out {
		if l.next() || octaves[i] != last {
			last = octaves[i]
			advance = l.advance(float64(last))
		}
		at := l.phase + uint64(float64(l.v[lfoPhase]*(1<<32)))<<32
		cycle := l.cycle
		if at < l.phase || l.v[lfoPhase] == 1 {
			cycle++
		}
		half := float64(l.v[lfoUnipolar] * 0.5)
		y := half + float64((1-half)*l.wave(at, cycle))
		out[i] = float32(float64(l.v[lfoDepth] * y))
		l.phase += advance
		if l.phase < advance {
			l.cycle++
		}
	}
}

// wave is the shape's value at a phase.
func (l *lfo) wave(phase, cycle uint64) float64 {
	x := float64(phase>>11) / (1 << 53) // [0, 1)
	switch l.v[lfoShape] {
	case 0:
		return approx.SinPhase(uint32(phase >> 32))
	case 1: // in phase with the sine
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

// random is a value in [-1, 1) for the number of a cycle.
func (l *lfo) random(cycle uint64) float64 {
	z := (cycle + 1 + uint64(l.v[lfoSeed])<<40) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(int64(z)>>11) / (1 << 52)
}

func (l *lfo) Reset() {
	l.knobs.Reset()
	l.phase, l.cycle = 0, 0
}

func (l *lfo) Save(e *dsp.Encoder) {
	l.knobs.Save(e)
	e.Uint64(l.phase)
	e.Uint64(l.cycle)
}

func (l *lfo) Restore(d *dsp.Decoder) {
	l.knobs.Restore(d)
	l.phase, l.cycle = d.Uint64(), d.Uint64()
}
