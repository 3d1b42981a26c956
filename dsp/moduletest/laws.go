// Package moduletest has the laws that every module must keep, as tests to be run over modules
// of this project and of others: call [Laws] for each description.
package moduletest

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/music-chronus/chronus/dsp"
)

// Rate is the rate, in Hz, that the laws are tested at.
const Rate = 48000

// frames is the length of a law's sound.
const frames = 4096

// Laws runs every law on the module that d describes.
func Laws(t *testing.T, d *dsp.Desc) {
	t.Run("partition", func(t *testing.T) { partition(t, d) })
	t.Run("restore", func(t *testing.T) { restore(t, d) })
	t.Run("refuse", func(t *testing.T) { refuse(t, d) })
	t.Run("reset", func(t *testing.T) { reset(t, d) })
	t.Run("allocs", func(t *testing.T) { allocs(t, d) })
	t.Run("finite", func(t *testing.T) { finite(t, d) })
	t.Run("silence", func(t *testing.T) { silence(t, d) })
	t.Run("described", func(t *testing.T) { described(t, d) })
}

// action is something done to a module at a frame.
type action struct {
	at    int
	param int // -1: the gate
	value float64
}

// script is a reproducible life of a module: inputs, and actions in the order of time.
type script struct {
	inputs  [][]float32
	actions []action
}

// newScript makes one. Values are anywhere in their ranges, the ends often.
func newScript(d *dsp.Desc, seed uint64, count int) script {
	r := rand.New(rand.NewPCG(seed, 1))
	s := script{inputs: make([][]float32, len(d.Inputs))}
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
	return lo + (hi-lo)*math.Pow(r.Float64(), 3) // more often low, where filters and envelopes are hardest
}

// play renders [from, to) of the script on m, cut as cut says: it returns the length of the next piece.
func (s script) play(m dsp.Module, from, to int, out []float32, cut func() int) {
	in := make([][]float32, len(s.inputs))
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
		m.Render(in, out[at:end])
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

func whole() int { return frames }

// same fails if two sounds differ in a bit.
func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: frame %d is %g, it should be %g", what, i, got[i], want[i])
		}
	}
}

// partition: any cut into pieces gives the same bits.
func partition(t *testing.T, d *dsp.Desc) {
	for seed := range uint64(8) {
		s := newScript(d, seed, 40)
		want, got := make([]float32, frames), make([]float32, frames)
		s.play(d.New(Rate), 0, frames, want, whole)
		for _, n := range []int{1, 7, 64, 1000} {
			s.play(d.New(Rate), 0, frames, got, func() int { return n })
			same(t, "in equal pieces", got, want)
		}
		r := rand.New(rand.NewPCG(seed, 2))
		s.play(d.New(Rate), 0, frames, got, func() int { return 1 + r.IntN(200) })
		same(t, "in pieces at random", got, want)
	}
}

// restore: a module that takes up another's state goes on as that one would have.
func restore(t *testing.T, d *dsp.Desc) {
	for seed := range uint64(8) {
		s := newScript(d, seed, 40)
		want, got := make([]float32, frames), make([]float32, frames)
		s.play(d.New(Rate), 0, frames, want, whole)
		r := rand.New(rand.NewPCG(seed, 3))
		for range 8 {
			at := r.IntN(frames)
			first, second := d.New(Rate), d.New(Rate)
			s.play(first, 0, at, got, whole)
			s.play(second, 0, r.IntN(frames), make([]float32, frames), whole) // it had a life of its own
			load(t, second, state(first))
			s.play(second, at, frames, got, whole)
			same(t, "restored", got, want)
			if !bytes.Equal(state(second), after(first, s, at)) {
				t.Fatalf("restored at frame %d: the states differ at the end", at)
			}
		}
	}
}

func after(m dsp.Module, s script, at int) []byte {
	s.play(m, at, frames, make([]float32, frames), whole)
	return state(m)
}

func state(m dsp.Module) []byte {
	e := dsp.NewEncoder(nil)
	m.Save(e)
	return e.Bytes()
}

func load(t *testing.T, m dsp.Module, b []byte) {
	t.Helper()
	d := dsp.NewDecoder(b)
	m.Restore(d)
	if err := d.Err(); err != nil || d.Rest() != 0 {
		t.Fatalf("restore: %v, %d bytes left", err, d.Rest())
	}
}

// refuse: a state that is cut off is an error and never a panic, whatever the rest holds.
func refuse(t *testing.T, d *dsp.Desc) {
	b := state(d.New(Rate))
	for n := range len(b) {
		dec := dsp.NewDecoder(b[:n])
		d.New(Rate).Restore(dec)
		if dec.Err() == nil {
			t.Fatalf("%d of %d bytes were taken for a state", n, len(b))
		}
	}
	r := rand.New(rand.NewPCG(1, 4))
	for range 200 {
		bad := append([]byte(nil), b...)
		for range 8 {
			bad[r.IntN(len(bad))] = byte(r.IntN(256))
		}
		d.New(Rate).Restore(dsp.NewDecoder(bad))
	}
}

// reset: a module that was reset plays as a new one with the same parameters.
func reset(t *testing.T, d *dsp.Desc) {
	s := newScript(d, 5, 40)
	used, fresh := d.New(Rate), d.New(Rate)
	s.play(used, 0, frames, make([]float32, frames), whole)
	last := map[int]float64{}
	for _, a := range s.actions {
		last[a.param] = a.value
	}
	for p := range d.Params {
		if v, ok := last[p]; ok {
			fresh.Set(p, v)
		}
	}
	used.Reset()
	fresh.Reset()
	if !bytes.Equal(state(used), state(fresh)) {
		t.Fatal("the state after Reset is not that of a new module")
	}
}

// allocs: nothing on the audio path allocates.
func allocs(t *testing.T, d *dsp.Desc) {
	m := d.New(Rate)
	s := newScript(d, 6, 40)
	out, in := make([]float32, 64), make([][]float32, len(s.inputs))
	for i := range in {
		in[i] = s.inputs[i][:64]
	}
	room := make([]byte, 0, 1<<16)
	e, dec := &dsp.Encoder{}, &dsp.Decoder{}
	b := state(m)
	k := 0
	if n := testing.AllocsPerRun(200, func() {
		s.actions[k%len(s.actions)].apply(m)
		k++
		m.Render(in, out)
		*e = *dsp.NewEncoder(room)
		m.Save(e)
		*dec = *dsp.NewDecoder(b)
		m.Restore(dec)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// finite: no storm of parameters within their ranges makes it put out what is not finite.
func finite(t *testing.T, d *dsp.Desc) {
	for seed := range uint64(40) {
		s := newScript(d, seed, 1000)
		out := make([]float32, frames)
		s.play(d.New(Rate), 0, frames, out, whole)
		for i, v := range out {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Fatalf("seed %d: frame %d is %g", seed, i, v)
			}
		}
	}
}

// silence: with nothing at its inputs and its gate closed, a module with inputs comes to put out
// exactly 0, within 12 s of the longest tail there is, and stays there.
func silence(t *testing.T, d *dsp.Desc) {
	if len(d.Inputs) == 0 {
		return
	}
	m := d.New(Rate)
	s := newScript(d, 7, 40)
	s.play(m, 0, frames, make([]float32, frames), whole)
	m.Gate(false)
	in, out := make([][]float32, len(d.Inputs)), make([]float32, Rate)
	for i := range in {
		in[i] = make([]float32, Rate)
	}
	for range 12 {
		m.Render(in, out)
	}
	for i, v := range out {
		if v != 0 {
			t.Fatalf("frame %d of the twelfth second of silence is %g", i, v)
		}
	}
}

// described: defaults are within their ranges, and everything has its words.
func described(t *testing.T, d *dsp.Desc) {
	if d.Type == "" || d.Doc == "" || d.Output.Name == "" {
		t.Error("type, doc or output is missing")
	}
	for _, p := range d.Params {
		if err := p.Check(p.Default, Rate); err != nil || p.Doc == "" || p.Name == "" {
			t.Errorf("parameter %q: %v; doc %q", p.Name, err, p.Doc)
		}
	}
}
