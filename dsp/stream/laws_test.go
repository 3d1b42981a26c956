package stream_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/stream"
)

// storm draws commands for the first frames of a stream of the default patch. Most of them are
// valid.
func storm(rt *rapid.T, s *stream.Stream, frames uint64) (list []stream.Command) {
	for i := range rapid.IntRange(1, 80).Draw(rt, "commands") {
		c := stream.Command{Seq: uint64(i) + 1, Frame: rapid.Uint64Range(0, frames).Draw(rt, "frame"), Kind: stream.Set}
		c.Node = uint16(rapid.IntRange(0, len(s.Plan().Nodes())).Draw(rt, "node"))
		if rapid.Bool().Draw(rt, "gate") {
			c.Kind, c.Value = stream.Gate, float64(rapid.IntRange(0, 1).Draw(rt, "on"))
		} else if int(c.Node) < len(s.Plan().Nodes()) {
			params := s.Plan().Nodes()[c.Node].Desc.Params
			c.Param = uint16(rapid.IntRange(0, len(params)).Draw(rt, "param"))
			if int(c.Param) < len(params) {
				lo, hi := params[c.Param].Range(float64(s.Plan().Rate))
				c.Value = math.Trunc(rapid.Float64Range(lo, hi*1.1).Draw(rt, "value"))
			}
		}
		list = append(list, c)
	}
	return list
}

// Commands at absolute frames give the same bits in every block size.
func TestLawBlockSizes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const frames = 4096
		commands := storm(rt, newStream(t, "", 64, 1), frames)
		play := func(block int) []float32 {
			s := newStream(t, "", block, 1)
			for _, c := range commands {
				s.Push(c)
			}
			return render(s, frames/block)
		}
		want := play(64)
		for _, block := range []int{16, 512, frames} {
			for i, v := range play(block) {
				if math.Float32bits(v) != math.Float32bits(want[i]) {
					rt.Fatalf("block %d: frame %d is %g, in blocks of 64 it is %g", block, i, v, want[i])
				}
			}
		}
	})
}

// Size is exact: a state with as many waiting commands as possible has that size.
func TestSize(t *testing.T) {
	s := newStream(t, "", 64, 2)
	for i := range uint64(stream.PendingMax) {
		s.Push(stream.Command{Seq: i + 1, Frame: 1 << 40, Kind: stream.Gate, Node: 2})
	}
	render(s, 10)
	b, err := s.Save(nil)
	if err != nil || len(b) != s.Size() {
		t.Errorf("a state of %d bytes, Size says %d: %v", len(b), s.Size(), err)
	}
}

// Restore rejects invalid states, names the reason, and leaves the stream as New made it.
func TestRestoreSays(t *testing.T) {
	fresh, err := newStream(t, "", 64, 2).Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	played := newStream(t, "", 64, 2)
	played.Push(stream.Command{Seq: 1, Kind: stream.Gate, Node: 2, Value: 1})
	render(played, 3)
	good, _ := played.Save(nil)
	change := func(at int, v byte) []byte { b := bytes.Clone(good); b[at] = v; return b }
	for _, tt := range []struct {
		name  string
		state []byte
		want  string
	}{
		{"empty", nil, "does not fit"},
		{"cut off", good[:len(good)-1], "does not fit"},
		{"too long", append(bytes.Clone(good), 1, 2), "2 bytes too many"},
		{"version", change(0, 9), "version 9; this program reads version 4"},
		{"patch", change(4, good[4]+1), "of another patch"},
		{"too many commands", change(51, 0x7f), "does not fit"},
	} {
		s := newStream(t, "", 64, 2)
		s.Push(stream.Command{Seq: 7, Kind: stream.Set, Node: 0, Value: 0})
		render(s, 1)
		if err := s.Restore(tt.state); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
		if b, _ := s.Save(nil); !bytes.Equal(b, fresh) {
			t.Errorf("%s: the stream is not as New made it", tt.name)
		}
	}
}

// fake is a module that runs a test's function.
type fake struct {
	dsp.Module
	render func(in [][]float32, out []float32)
	resets int
}

func (f *fake) Render(in, out [][]float32) { f.render(in, out[0]) }
func (f *fake) Reset()                     { f.resets++ }

const twoSines = `
version: 1
nodes:
  - {id: good, type: sine, params: {freq: 100, gain: 0.5}}
  - {id: bad, type: sine}
  - {id: after, type: biquad, params: {cutoff: 20000}}
cables: [good > out, bad > after > out]
`

// A node that produces values that are not finite is silent for the rest of its block and is reset.
// Other nodes continue.
func TestFault(t *testing.T) {
	for _, poison := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1.1e6, -math.MaxFloat32} {
		s := newStream(t, twoSines, 64, 1)
		calls := 0
		bad := &fake{Module: s.Module(2), render: func(_ [][]float32, out []float32) {
			clear(out)
			if calls++; calls == 3 {
				out[len(out)/2] = float32(poison)
			}
		}}
		s.SetModule(2, bad)
		// A command divides the third block: the node must not be rendered again after its fault.
		s.Push(stream.Command{Seq: 1, Frame: 2*64 + 32, Kind: stream.Set, Node: 1, Param: 1, Value: 0.5})
		got := render(s, 6)
		want := render(newStream(t, strings.Replace(twoSines, "type: sine}", "type: sine, params: {gain: 0}}", 1), 64,
			1), 6)
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%g: frame %d is %g, the good node alone makes %g", poison, i, got[i], want[i])
			}
		}
		if n, node := s.Faults(); n != 1 || node != 2 || bad.resets != 1 || calls != 6 {
			t.Errorf("%g: %d faults, the last of node %d, %d resets, %d calls; want 1, 2, 1, 6", poison, n, node,
				bad.resets, calls)
		}
	}
}

// The probe names the node that is being rendered, also when it panics. nil removes the probe.
func TestProbe(t *testing.T) {
	s := newStream(t, twoSines, 64, 1)
	var word atomic.Uint64
	s.SetProbe(&word)
	s.SetModule(2, &fake{render: func([][]float32, []float32) { panic(errors.New("broken")) }})
	func() {
		defer func() { _ = recover() }()
		render(s, 1)
		t.Error("the panic was lost")
	}()
	if word.Load() != 2+1 {
		t.Errorf("the probe says %d, want node 2 plus 1", word.Load())
	}
	s = newStream(t, twoSines, 64, 1)
	s.SetProbe(&word)
	s.SetProbe(nil)
	word.Store(99)
	render(s, 1)
	if word.Load() != 99 {
		t.Errorf("a probe taken back was written: %d", word.Load())
	}
}

// The engine's gain moves in a straight line over 5 ms and then is exact.
func TestAmp(t *testing.T) {
	s := newStream(t, "version: 1\nnodes: [{id: a, type: sine}]\ncables: [a > out]\n", 64, 1)
	s.SetModule(1, &fake{render: func(_ [][]float32, out []float32) {
		for i := range out {
			out[i] = 1
		}
	}})
	s.Push(stream.Command{Seq: 1, Frame: 100, Kind: stream.Set, Node: 0, Value: 0.25})
	out := render(s, 8)
	for i, want := range map[int]float64{0: 1, 99: 1, 100: 1 - 0.75/240, 219: 1 - 0.75*120/240, 339: 0.25, 400: 0.25} {
		if math.Abs(float64(out[i])-want) > 1e-7 {
			t.Errorf("frame %d: %g, want %g", i, out[i], want)
		}
	}
}

// Restore and Render return for any state.
func FuzzRestore(f *testing.F) {
	s := newStream(f, "", 64, 2)
	for i := range uint64(20) {
		s.Push(stream.Command{Seq: i + 1, Frame: i % 5 * 64, Kind: stream.Gate, Node: 2, Value: float64(i % 2)})
	}
	for range 4 {
		b, err := s.Save(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		render(s, 2)
	}
	fresh, _ := newStream(f, "", 64, 2).Save(nil)
	f.Fuzz(func(t *testing.T, state []byte) {
		s := newStream(t, "", 64, 2)
		if err := s.Restore(state); err != nil {
			if b, _ := s.Save(nil); !bytes.Equal(b, fresh) {
				t.Fatal("a refused state left something behind")
			}
			return
		}
		if b, _ := s.Save(nil); !bytes.Equal(b, state) {
			t.Fatal("a state that was taken is saved as another")
		}
		render(s, 3)
		if b, err := s.Save(nil); err != nil || len(b) > s.Size() {
			t.Fatalf("%d bytes, Size says %d: %v", len(b), s.Size(), err)
		}
	})
}

// A full queue in the worst order is cheap to fill and to empty.
func BenchmarkFlood(b *testing.B) {
	s := newStream(b, "", 64, 2)
	for i := range uint64(stream.PendingMax - 64) {
		s.Push(stream.Command{Seq: i + 1, Frame: 1<<60 - i, Kind: stream.Gate, Node: 2})
	}
	out := make([]float32, 128)
	for b.Loop() {
		first := s.Block() * 64
		for k := range uint64(64) {
			s.Push(stream.Command{Seq: s.Seq() + 1, Frame: first + 63 - k, Kind: stream.Set, Node: 0, Value: 1})
		}
		s.Render(out)
	}
}
