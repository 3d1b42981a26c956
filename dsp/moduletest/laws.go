// Package moduletest has the laws that every module must keep, as tests to be run over modules
// of this project and of others: call [Run] for each description. A [Law] by itself is a function from a
// description to what is wrong with its modules.
package moduletest

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/music-chronus/chronus/dsp"
)

// Rate is the rate, in Hz, that the laws are tested at.
const Rate = 48000

// frames is the length of a law's sound.
const frames = 4096

// Law is one thing that holds for every module.
type Law struct {
	Name  string
	Check func(d *dsp.Desc) error // what is wrong; nil: it holds
}

// Laws are all of them.
var Laws = []Law{
	{"described", described},
	{"partition", partition},
	{"restore", restore},
	{"refuse", refuse},
	{"size", size},
	{"reset", reset},
	{"allocs", allocs},
	{"finite", finite},
	{"silence", silence},
}

// Run runs every law, each as a subtest, on the module that d describes.
func Run(t *testing.T, d *dsp.Desc) {
	for _, law := range Laws {
		t.Run(law.Name, func(t *testing.T) {
			if err := law.Check(d); err != nil {
				t.Error(err)
			}
		})
	}
}

// same tells where two sounds differ in a bit.
func same(what string, got, want [][]float32) error {
	for k := range want {
		for i := range want[k] {
			if math.Float32bits(got[k][i]) != math.Float32bits(want[k][i]) {
				return fmt.Errorf("%s: signal %d, frame %d is %g, it should be %g", what, k, i, got[k][i], want[k][i])
			}
		}
	}
	return nil
}

// partition: any cut into pieces gives the same bits.
func partition(d *dsp.Desc) error {
	for seed := range uint64(8) {
		s := newScript(d, seed, 40)
		want, got := newSound(d, frames), newSound(d, frames)
		s.play(New(d, Rate), 0, frames, want, whole)
		for _, n := range []int{1, 7, 64, 1000} {
			s.play(New(d, Rate), 0, frames, got, func() int { return n })
			if err := same(fmt.Sprintf("seed %d, in pieces of %d", seed, n), got, want); err != nil {
				return err
			}
		}
		r := rand.New(rand.NewPCG(seed, 2))
		s.play(New(d, Rate), 0, frames, got, func() int { return 1 + r.IntN(200) })
		if err := same(fmt.Sprintf("seed %d, in pieces at random", seed), got, want); err != nil {
			return err
		}
	}
	return nil
}

// restore: a module that takes up another's state goes on as that one would have.
func restore(d *dsp.Desc) error {
	for seed := range uint64(8) {
		s := newScript(d, seed, 40)
		want, got := newSound(d, frames), newSound(d, frames)
		s.play(New(d, Rate), 0, frames, want, whole)
		r := rand.New(rand.NewPCG(seed, 3))
		for range 8 {
			at := r.IntN(frames)
			first, second := New(d, Rate), New(d, Rate)
			s.play(first, 0, at, got, whole)
			s.play(second, 0, r.IntN(frames), newSound(d, frames), whole) // it had a life of its own
			if err := load(second, state(first)); err != nil {
				return err
			}
			s.play(second, at, frames, got, whole)
			if err := same(fmt.Sprintf("seed %d, restored at frame %d", seed, at), got, want); err != nil {
				return err
			}
			s.play(first, at, frames, got, whole)
			if !bytes.Equal(state(second), state(first)) {
				return fmt.Errorf("seed %d, restored at frame %d: the states differ at the end", seed, at)
			}
		}
	}
	return nil
}

func state(m dsp.Module) []byte {
	e := dsp.NewEncoder(nil)
	m.Save(e)
	return e.Bytes()
}

func load(m dsp.Module, b []byte) error {
	d := dsp.NewDecoder(b)
	m.Restore(d)
	if err := d.Err(); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if d.Remaining() != 0 {
		return fmt.Errorf("restore: %d of %d bytes are left", d.Remaining(), len(b))
	}
	return nil
}

// refuse: a state that is cut off is an error, and none is a panic, whatever it holds.
func refuse(d *dsp.Desc) (err error) {
	b := state(New(d, Rate))
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("a bad state is a panic: %v", x)
		}
	}()
	for n := 0; n < len(b); n += 1 + n/64 { // each length would take minutes where there is a long delay line
		dec := dsp.NewDecoder(b[:n])
		New(d, Rate).Restore(dec)
		if dec.Err() == nil {
			return fmt.Errorf("%d of %d bytes were taken for a state", n, len(b))
		}
	}
	r := rand.New(rand.NewPCG(1, 4))
	s := newScript(d, 1, 4)
	for range 200 {
		bad := bytes.Clone(b)
		for range min(8, len(bad)) {
			bad[r.IntN(len(bad))] = byte(r.IntN(256))
		}
		m, dec := New(d, Rate), dsp.NewDecoder(bad)
		if m.Restore(dec); dec.Err() == nil {
			s.play(m, 0, 256, newSound(d, frames), whole)
		}
	}
	return nil
}

// size: a module's state is of one size for life.
func size(d *dsp.Desc) error {
	want := len(state(New(d, Rate)))
	for seed := range uint64(8) {
		m := New(d, Rate)
		newScript(d, seed, 40).play(m, 0, frames, newSound(d, frames), whole)
		if got := len(state(m)); got != want {
			return fmt.Errorf("seed %d: a state of %d bytes, a new module's has %d", seed, got, want)
		}
	}
	return nil
}

// reset: a module that was reset plays as a new one with the same parameters.
func reset(d *dsp.Desc) error {
	for seed := range uint64(8) {
		s := newScript(d, seed, 40)
		used, fresh := New(d, Rate), New(d, Rate)
		s.play(used, 0, frames, newSound(d, frames), whole)
		for _, a := range s.actions {
			if a.param >= 0 {
				fresh.Set(a.param, a.value)
			}
		}
		used.Reset()
		fresh.Reset()
		if !bytes.Equal(state(used), state(fresh)) {
			return fmt.Errorf("seed %d: the state after Reset is not that of a new module", seed)
		}
	}
	return nil
}

// allocs: nothing on the audio path allocates.
func allocs(d *dsp.Desc) error {
	m := New(d, Rate)
	s := newScript(d, 6, 40)
	out, in := newSound(d, 64), make([][]float32, len(s.inputs))
	for i := range in {
		in[i] = s.inputs[i][:64]
	}
	b := state(m)
	room := make([]byte, 0, 2*len(b))
	e, dec := &dsp.Encoder{}, &dsp.Decoder{}
	k := 0
	if n := testing.AllocsPerRun(200, func() {
		s.actions[k%len(s.actions)].apply(m)
		k++
		m.Render(in, out)
		*e = *dsp.NewEncoder(room)
		m.Save(e)
		*dec = *dsp.NewDecoder(b)
		m.Restore(dec)
		m.Reset()
	}); n != 0 {
		return fmt.Errorf("%v allocations", n)
	}
	return nil
}

// finite: no storm of parameters within their ranges makes it put out what is not finite.
func finite(d *dsp.Desc) error {
	out := newSound(d, frames)
	for seed := range uint64(40) {
		newScript(d, seed, 1000).play(New(d, Rate), 0, frames, out, whole)
		for k := range out {
			for i, v := range out[k] {
				if v-v != 0 {
					return fmt.Errorf("seed %d: signal %d, frame %d is %g", seed, k, i, v)
				}
			}
		}
	}
	return nil
}

// tail is where the sound of a module counts as past, and tailSeconds how long that may take.
const (
	tail        = 1e-20
	tailSeconds = 30
)

// silence: with nothing at its inputs and its gate closed, a module that only works on what it hears comes to put out
// less than tail within tailSeconds, and from a second after that on exactly 0.
func silence(d *dsp.Desc) error {
	if len(d.Inputs) == 0 || d.GeneratesSound {
		return nil
	}
	in, out := make([][]float32, dsp.Signals(d.Inputs)), newSound(d, Rate)
	for i := range in {
		in[i] = make([]float32, Rate)
	}
	for seed := range uint64(3) {
		m := New(d, Rate)
		newScript(d, seed, 40).play(m, 0, frames, newSound(d, frames), whole)
		m.Gate(false)
		loud, alive := -1, -1 // the last frames that are not below tail, and not 0
		for second := range tailSeconds + 2 {
			m.Render(in, out)
			for i := range Rate {
				most := 0.0
				for k := range out {
					most = max(most, math.Abs(float64(out[k][i])))
				}
				if most != 0 {
					alive = second*Rate + i
				}
				if most >= tail {
					loud = alive
				}
			}
		}
		switch {
		case loud >= tailSeconds*Rate:
			return fmt.Errorf("seed %d: still heard after %d s of silence", seed, tailSeconds)
		case alive > loud+Rate:
			return fmt.Errorf("seed %d: below %g after frame %d, but not 0 until frame %d", seed, tail, loud, alive)
		}
	}
	return nil
}

// described: everything has its words, ranges are ranges, and a new module is at its defaults.
func described(d *dsp.Desc) error {
	if d.Type == "" || d.Doc == "" || len(d.Outputs) == 0 {
		return fmt.Errorf("type, doc or output is missing")
	}
	ports := map[string]bool{}
	for _, p := range append(append([]dsp.Port{}, d.Inputs...), d.Outputs...) {
		if p.Name == "" || p.Doc == "" || ports[p.Name] {
			return fmt.Errorf("port %q, doc %q: each needs both, and a name of its own", p.Name, p.Doc)
		}
		ports[p.Name] = true
	}
	byDefault := New(d, Rate)
	for i, p := range d.Params {
		if p.Name == "" || p.Doc == "" || d.Index(p.Name) != i {
			return fmt.Errorf("parameter %d: name %q, doc %q; each needs both, and a name of its own", i, p.Name, p.Doc)
		}
		if lo, hi := p.Range(Rate); lo >= hi {
			return fmt.Errorf("parameter %s: nothing lies between %g and %g", p.Name, lo, hi)
		}
		if err := p.Check(p.Default, Rate); err != nil {
			return fmt.Errorf("default of %w", err)
		}
		byDefault.Set(i, p.Default)
	}
	byDefault.Reset()
	if !bytes.Equal(state(byDefault), state(New(d, Rate))) {
		return fmt.Errorf("a new module is not at the defaults that are described")
	}
	return nil
}
