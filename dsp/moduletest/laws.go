// Package moduletest has the laws that every module must keep, as tests for modules of this
// project and of embedding programs. Call [Run] for each description. A [Law] can also be checked
// by itself.
package moduletest

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/music-chronus/chronus/dsp"
)

// Rate is the rate, in Hz, at which the laws are tested.
const Rate = 48000

// frames is the length of the sounds that most laws render.
const frames = 4096

// Law is a property that holds for every module.
type Law struct {
	Name  string
	Check func(d *dsp.Desc) error // returns nil if the law holds
}

// Laws lists all laws.
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

// Run checks every law for the module that d describes, each in a subtest. The subtests run in
// parallel but for allocs, which counts the allocations of the whole process. With -short the laws
// try a quarter of the random scripts.
func Run(t *testing.T, d *dsp.Desc) {
	for _, law := range Laws {
		t.Run(law.Name, func(t *testing.T) {
			if law.Name != "allocs" {
				t.Parallel()
			}
			if err := law.Check(d); err != nil {
				t.Error(err)
			}
		})
	}
}

// seeds returns the number of random scripts that a law tries, of n.
func seeds(n uint64) uint64 {
	if testing.Testing() && testing.Short() {
		return (n + 3) / 4
	}
	return n
}

// same returns an error that names the first frame in which two sounds differ by a bit.
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

// partition checks that the bits do not depend on how the frames are cut into pieces.
func partition(d *dsp.Desc) error {
	for seed := range seeds(8) {
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

// restore checks that a module with the restored state of another continues like that one.
func restore(d *dsp.Desc) error {
	for seed := range seeds(8) {
		s := newScript(d, seed, 40)
		want, got := newSound(d, frames), newSound(d, frames)
		s.play(New(d, Rate), 0, frames, want, whole)
		r := rand.New(rand.NewPCG(seed, 3))
		for range 8 {
			at := r.IntN(frames)
			first, second := New(d, Rate), New(d, Rate)
			s.play(first, 0, at, got, whole)
			s.play(second, 0, r.IntN(frames), newSound(d, frames), whole) // so that it has another state
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
		return fmt.Errorf("restore: %d of %d bytes were not read", d.Remaining(), len(b))
	}
	return nil
}

// refuse checks that a truncated state is an error, and that an arbitrary state does not panic.
func refuse(d *dsp.Desc) (err error) {
	b := state(New(d, Rate))
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("restoring a bad state panics: %v", x)
		}
	}()
	for n := 0; n < len(b); n += 1 + n/64 { // all lengths would take minutes for long delay lines
		dec := dsp.NewDecoder(b[:n])
		New(d, Rate).Restore(dec)
		if dec.Err() == nil {
			return fmt.Errorf("%d of %d bytes were accepted as a state", n, len(b))
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

// size checks that the size of a module's state never changes.
func size(d *dsp.Desc) error {
	want := len(state(New(d, Rate)))
	for seed := range seeds(8) {
		m := New(d, Rate)
		newScript(d, seed, 40).play(m, 0, frames, newSound(d, frames), whole)
		if got := len(state(m)); got != want {
			return fmt.Errorf("seed %d: the state has %d bytes, that of a new module %d", seed, got, want)
		}
	}
	return nil
}

// reset checks that a module after Reset has the state of a new one with the same parameters.
func reset(d *dsp.Desc) error {
	for seed := range seeds(8) {
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

// allocs checks that no method but New allocates.
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

// finite checks that the output stays finite while parameters change quickly within their ranges.
func finite(d *dsp.Desc) error {
	out := newSound(d, frames)
	for seed := range seeds(40) {
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

const (
	tail        = 1e-20 // magnitude below which an output counts as silent
	tailSeconds = 30    // s until the output of a module with silent inputs must be silent
)

// silence checks that a module that does not generate sound becomes silent: with silent inputs and
// a closed gate, its output falls below tail within tailSeconds, and is exactly 0 from a second
// later on.
func silence(d *dsp.Desc) error {
	if len(d.Inputs) == 0 || d.GeneratesSound {
		return nil
	}
	in, out := make([][]float32, dsp.Signals(d.Inputs)), newSound(d, Rate)
	for i := range in {
		in[i] = make([]float32, Rate)
	}
	for seed := range seeds(3) {
		m := New(d, Rate)
		newScript(d, seed, 40).play(m, 0, frames, newSound(d, frames), whole)
		m.Gate(false)
		loud, alive := -1, -1 // the last frames that are not below tail, and not 0
		var last []byte
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
			if alive >= second*Rate {
				continue
			}
			now := state(m)
			if bytes.Equal(now, last) {
				break // the same state at the end of two silent seconds: all further seconds are silent
			}
			last = now
		}
		switch {
		case loud >= tailSeconds*Rate:
			return fmt.Errorf("seed %d: not silent after %d s of silent input", seed, tailSeconds)
		case alive > loud+Rate:
			return fmt.Errorf("seed %d: below %g after frame %d, but not 0 until frame %d", seed, tail, loud, alive)
		}
	}
	return nil
}

// described checks that the description is complete and consistent, and that a new module has the
// defaults that it names.
func described(d *dsp.Desc) error {
	if d.Type == "" || d.Doc == "" || len(d.Outputs) == 0 {
		return fmt.Errorf("type, doc or outputs are missing")
	}
	ports := map[string]bool{}
	for _, p := range append(append([]dsp.Port{}, d.Inputs...), d.Outputs...) {
		if p.Name == "" || p.Doc == "" || ports[p.Name] {
			return fmt.Errorf("port %q, doc %q: each port needs a unique name and a doc", p.Name, p.Doc)
		}
		ports[p.Name] = true
	}
	byDefault := New(d, Rate)
	for i, p := range d.Params {
		if p.Name == "" || p.Doc == "" || d.Index(p.Name) != i {
			return fmt.Errorf("parameter %d: name %q, doc %q: each parameter needs a unique name and a doc", i, p.Name, p.Doc)
		}
		if lo, hi := p.Range(Rate); lo >= hi {
			return fmt.Errorf("parameter %s: empty range from %g to %g", p.Name, lo, hi)
		}
		if err := p.Check(p.Default, Rate); err != nil {
			return fmt.Errorf("default of %w", err)
		}
		byDefault.Set(i, p.Default)
	}
	byDefault.Reset()
	if !bytes.Equal(state(byDefault), state(New(d, Rate))) {
		return fmt.Errorf("a new module does not have the defaults of its description")
	}
	return nil
}
