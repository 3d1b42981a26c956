package stream_test

import (
	"bytes"
	"math"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
)

// newStream makes a stream of the default patch, or of a text.
func newStream(t testing.TB, text string, block, channels int) *stream.Stream {
	t.Helper()
	b := []byte(text)
	if text == "" {
		b = patch.Default()
	}
	p, err := patch.Parse("test", b)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, block, channels)
	if err != nil {
		t.Fatal(err)
	}
	s, err := stream.New(plan)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lookup finds a parameter of the stream's patch.
func lookup(t testing.TB, s *stream.Stream, node, param string) (uint16, uint16) {
	t.Helper()
	n, p, err := s.Plan().Lookup(node, param)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(n), uint16(p)
}

// render renders the next blocks and returns one channel.
func render(s *stream.Stream, count int) (mono []float32) {
	out := make([]float32, s.Plan().Block*s.Plan().Channels)
	for range count {
		s.Render(out)
		for i := 0; i < len(out); i += s.Plan().Channels {
			mono = append(mono, out[i])
		}
	}
	return mono
}

// A gate at frame 1000 is heard from frame 1000 on in every block size.
func TestExactFrame(t *testing.T) {
	for _, block := range []int{16, 64, 100, 512} {
		s := newStream(t, "", block, 2)
		gate, _ := lookup(t, s, "adsr1", "attack")
		sine, gain := lookup(t, s, "sine1", "gain")
		s.Push(stream.Command{Seq: 1, Kind: stream.Set, Node: sine, Param: gain, Value: 1})
		s.Push(stream.Command{Seq: 2, Frame: 1000, Kind: stream.Gate, Node: gate, Value: 1})
		out := render(s, 2000/block+1)
		first := -1
		for i, v := range out {
			if v != 0 {
				first = i
				break
			}
		}
		if first != 1000 {
			t.Errorf("block %d: the first sound is at frame %d", block, first)
		}
	}
}

// The same commands at the same frames sound the same in every block size.
func TestBlockSizes(t *testing.T) {
	play := func(block int) []float32 {
		s := newStream(t, "", block, 1)
		adsr, _ := lookup(t, s, "adsr1", "attack")
		filter, cutoff := lookup(t, s, "filter1", "cutoff")
		for i, c := range []stream.Command{
			{Frame: 100, Kind: stream.Gate, Node: adsr, Value: 1}, {Frame: 333, Kind: stream.Set, Node: filter,
				Param: cutoff, Value: 300},
			{Frame: 334, Kind: stream.Set, Node: filter, Param: cutoff, Value: 9000}, {Frame: 4001, Kind: stream.Gate,
				Node: adsr},
			{Frame: 4001, Kind: stream.Gate, Node: adsr, Value: 1}, {Frame: 6000, Kind: stream.Set, Node: 0,
				Value: 0.25},
		} {
			c.Seq = uint64(i) + 1
			s.Push(c)
		}
		return render(s, 8192/block)
	}
	want := play(64)
	for _, block := range []int{16, 512, 4096} {
		for i, v := range play(block) {
			if v != want[i] {
				t.Fatalf("block %d: frame %d is %g, in blocks of 64 it is %g", block, i, v, want[i])
			}
		}
	}
}

// A restored stream continues bit for bit, at any block and after any commands.
func TestSaveRestoreContinue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		commands := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) stream.Command {
			return stream.Command{
				Frame: rapid.Uint64Range(0, 4000).Draw(rt, "frame"), Kind: stream.Kind(rapid.IntRange(0, 3).Draw(rt,
					"kind")),
				Node: uint16(rapid.IntRange(0, 5).Draw(rt, "node")), Param: uint16(rapid.IntRange(0, 6).Draw(rt,
					"param")),
				Value: rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64Range(0, 20000), rapid.Float64()).Draw(rt,
					"value"),
			}
		}), 0, 60).Draw(rt, "commands")
		cut := rapid.IntRange(0, 60).Draw(rt, "cut")
		one, two := newStream(t, "", 64, 2), newStream(t, "", 64, 2)
		var state []byte
		out1, out2 := make([]float32, 128), make([]float32, 128)
		for n := range 64 {
			if n == cut {
				var err error
				if state, err = one.Save(nil); err != nil {
					rt.Fatal(err)
				}
				if err := two.Restore(state); err != nil {
					rt.Fatal(err)
				}
			}
			for i, c := range commands {
				c.Seq = uint64(i) + 1
				if i%64 != n {
					continue
				}
				one.Push(c)
				if n >= cut {
					two.Push(c)
				}
			}
			one.Render(out1)
			if n < cut {
				continue
			}
			two.Render(out2)
			for i := range out1 {
				if math.Float32bits(out1[i]) != math.Float32bits(out2[i]) {
					rt.Fatalf("block %d, sample %d: %g and %g", n, i, out1[i], out2[i])
				}
			}
		}
		a, _ := one.Save(nil)
		b, _ := two.Save(nil)
		if !bytes.Equal(a, b) {
			rt.Fatal("the states differ in the end")
		}
	})
}

// Restore rejects every state that does not fit and leaves the stream as New made it.
func TestRestoreRefuses(t *testing.T) {
	s := newStream(t, "", 64, 2)
	adsr, _ := lookup(t, s, "adsr1", "attack")
	s.Push(stream.Command{Seq: 1, Kind: stream.Gate, Node: adsr, Value: 1})
	s.Push(stream.Command{Seq: 2, Frame: 9000, Kind: stream.Gate, Node: adsr})
	render(s, 5)
	good, err := s.Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	fresh, _ := newStream(t, "", 64, 2).Save(nil)
	other := newStream(t, "", 32, 2)
	if err := other.Restore(good); err == nil {
		t.Error("took the state of another block size")
	}
	for n := range len(good) {
		if err := s.Restore(good[:n]); err == nil {
			t.Fatalf("took %d of %d bytes", n, len(good))
		}
	}
	if err := s.Restore(append(good[:len(good):len(good)], 0)); err == nil {
		t.Error("took a state with a byte too many")
	}
	if b, _ := s.Save(nil); !bytes.Equal(b, fresh) {
		t.Error("a refused state left something behind")
	}
	if len(good) > s.Size() {
		t.Errorf("a state of %d bytes, Size says %d", len(good), s.Size())
	}
}

// Commands that cannot be applied are counted and change nothing.
func TestIgnored(t *testing.T) {
	s, quiet := newStream(t, "", 64, 1), newStream(t, "", 64, 1)
	for i, c := range []stream.Command{
		{Kind: stream.Set, Node: 99, Value: 1}, {Kind: stream.Set, Node: 1, Param: 99, Value: 1}, {Kind: stream.Set,
			Node: 1, Value: math.NaN()},
		{Kind: stream.Set, Node: 1, Value: 1e9}, {Kind: stream.Gate, Node: 1, Value: 1}, {Kind: 7, Node: 1,
			Value: 1}, {Kind: stream.Gate, Node: 2, Value: math.NaN()},
	} {
		c.Seq = uint64(i) + 1
		s.Push(c)
	}
	s.Push(stream.Command{Seq: 3, Kind: stream.Gate, Node: 2, Value: 1}) // not above the last Seq
	got, want := render(s, 10), render(quiet, 10)
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("frame %d: %g", i, got[i])
		}
	}
	if s.Ignored() != 8 {
		t.Errorf("%d ignored, want 8", s.Ignored())
	}
}

// A command that finds the queue full lets the first one be applied early. All others stay.
func TestPendingFull(t *testing.T) {
	s := newStream(t, "", 64, 1)
	adsr, _ := lookup(t, s, "adsr1", "attack")
	for i := range uint64(stream.PendingMax + 1) {
		s.Push(stream.Command{Seq: i + 1, Frame: 10000 - i, Kind: stream.Gate, Node: adsr, Value: float64(i % 2)})
	}
	if s.Waiting() != stream.PendingMax || s.Ignored() != 1 {
		t.Fatalf("%d wait, %d ignored", s.Waiting(), s.Ignored())
	}
	// When the last command came, the first that was due was number 4,096.
	for i := range uint64(stream.PendingMax) {
		want := stream.PendingMax - i
		if i == 0 {
			want = stream.PendingMax + 1
		}
		if c := s.TakeWaiting(); c.Seq != want {
			t.Fatalf("command %d is due as number %d, it should be %d", c.Seq, i, want)
		}
	}
}

// Several cables into one input, and into out, are summed.
func TestSums(t *testing.T) {
	text := `
version: 1
nodes:
  - {id: a, type: sine, params: {freq: 100, gain: 0.25}}
  - {id: b, type: sine, params: {freq: 100, gain: 0.5}}
  - {id: f, type: biquad, params: {cutoff: 20000, q: 0.5}}
cables: [a > out, b > out]
`
	one := newStream(t, "version: 1\nnodes: [{id: a, type: sine, params: {freq: 100, gain: 0.75}}]\ncables: [a > out]\n", 64, 1)
	got, want := render(newStream(t, text, 64, 1), 20), render(one, 20)
	for i := range got {
		if math.Abs(float64(got[i]-want[i])) > 1e-7 {
			t.Fatalf("frame %d: %g, want %g", i, got[i], want[i])
		}
	}
}

// Every channel has the same sound. Between blocks the probe names no node.
func TestChannels(t *testing.T) {
	s := newStream(t, "version: 1\nnodes: [{id: a, type: sine}]\ncables: [a > out]\n", 64, 3)
	var probe atomic.Uint64
	s.SetProbe(&probe)
	out := make([]float32, 64*3)
	s.Render(out)
	for f := range 64 {
		if out[3*f] != out[3*f+1] || out[3*f] != out[3*f+2] {
			t.Fatalf("frame %d differs between channels", f)
		}
	}
	if probe.Load() != 0 || s.Block() != 1 {
		t.Errorf("probe %d, block %d", probe.Load(), s.Block())
	}
}

func TestNoAllocs(t *testing.T) {
	s := newStream(t, "", 64, 2)
	out, state := make([]float32, 128), make([]byte, 0, s.Size())
	seq := uint64(0)
	if n := testing.AllocsPerRun(500, func() {
		seq++
		s.Push(stream.Command{Seq: seq, Kind: stream.Gate, Node: 2, Value: float64(seq % 2)})
		s.Render(out)
		state, _ = s.Save(state[:0])
		_ = s.Restore(state)
	}); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

func BenchmarkRender(b *testing.B) {
	s := newStream(b, "", 64, 2)
	s.Push(stream.Command{Seq: 1, Kind: stream.Gate, Node: 2, Value: 1})
	out := make([]float32, 128)
	for b.Loop() {
		s.Render(out)
	}
	b.ReportMetric(64/48000.0/(b.Elapsed().Seconds()/float64(b.N)), "x-real-time")
}
