package moduletest

import (
	"math"
	"math/rand/v2"

	"github.com/music-chronus/chronus/dsp"
)

// action is a change of a parameter or of the gate.
type action struct {
	at    int // frame
	param int // -1: the gate
	value float64
}

// script is a reproducible use of a module: its inputs, and actions in the order of time.
type script struct {
	inputs  [][]float32
	actions []action
}

// newScript returns a script with count actions. Values are anywhere in their ranges, and often at
// the ends.
func newScript(d *dsp.Desc, seed uint64, count int) script {
	r := rand.New(rand.NewPCG(seed, 1))
	s := script{inputs: make([][]float32, dsp.Signals(d.Inputs))}
	for i := range s.inputs {
		s.inputs[i] = make([]float32, frames)
		for k := range s.inputs[i] {
			s.inputs[i][k] = float32(r.Float64()*2 - 1)
		}
	}
	at := 0
	for range count {
		at = min(frames-1, at+r.IntN(2*frames/count))
		a := action{at: at, param: r.IntN(len(d.Params)+1) - 1, value: float64(r.IntN(2))}
		if a.param >= 0 {
			a.value = someValue(r, &d.Params[a.param])
		}
		s.actions = append(s.actions, a)
	}
	return s
}

func someValue(r *rand.Rand, p *dsp.Param) float64 {
	lo, hi := p.Range(Rate)
	switch {
	case len(p.Names) > 0:
		return float64(r.IntN(len(p.Names)))
	case r.IntN(4) == 0:
		return lo
	case r.IntN(4) == 0:
		return hi
	}
	return lo + (hi-lo)*math.Pow(r.Float64(), 3) // often low, where filters and envelopes are most sensitive
}

// play renders the frames [from, to) of the script on m. The length of the next piece is that
// which cut returns.
func (s script) play(m dsp.Module, from, to int, out [][]float32, cut func() int) {
	in, part := make([][]float32, len(s.inputs)), make([][]float32, len(out))
	next := 0
	for next < len(s.actions) && s.actions[next].at < from {
		next++
	}
	for at := from; at < to; {
		for next < len(s.actions) && s.actions[next].at == at {
			s.actions[next].apply(m)
			next++
		}
		end := min(to, at+max(1, cut()))
		if next < len(s.actions) {
			end = min(end, s.actions[next].at)
		}
		for i := range in {
			in[i] = s.inputs[i][at:end]
		}
		for i := range out {
			part[i] = out[i][at:end]
		}
		m.Render(in, part)
		at = end
	}
}

func (a action) apply(m dsp.Module) {
	if a.param < 0 {
		m.Gate(a.value > 0)
		return
	}
	m.Set(a.param, a.value)
}

// newSound returns n frames for every output signal of a module.
func newSound(d *dsp.Desc, n int) [][]float32 {
	out := make([][]float32, dsp.Signals(d.Outputs))
	for i := range out {
		out[i] = make([]float32, n)
	}
	return out
}

// whole returns the length of a piece that is never cut.
func whole() int { return frames }
