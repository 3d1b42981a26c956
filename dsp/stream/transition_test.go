package stream_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
)

// prepare makes a stream that can replace s with another text.
func prepare(t testing.TB, s *stream.Stream, text string) *stream.Stream {
	t.Helper()
	to, err := s.PrepareTransition(newStream(t, text, s.Plan().Block, s.Plan().Channels).Plan())
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// switched switches s to another text.
func switched(t testing.TB, s *stream.Stream, text string) *stream.Stream {
	t.Helper()
	to := prepare(t, s, text)
	s.Switch(to, s.Seq()+1)
	return to
}

// A transition to the same plan changes no bit: voices, sequencer, waiting commands and feedback
// nodes continue.
func TestMoveToTheSame(t *testing.T) {
	for _, text := range []string{stereo, beat, ""} {
		one, two := newStream(t, text, 64, 2), newStream(t, text, 64, 2)
		if text == "" {
			text = string(patch.Default())
		}
		for n := range 600 {
			if n%7 == 3 {
				for _, s := range []*stream.Stream{one, two} {
					s.Push(stream.Command{Seq: s.Seq() + 1, Frame: s.Block()*64 + 100, Kind: stream.Note, Node: 1,
						Param: uint16(50 + n%30), Value: float64(n % 2)})
				}
			}
			if n%50 == 20 {
				two = switched(t, two, text)
				one.SetSeq(one.Seq() + 1)
				if two.InTransition() {
					t.Fatal("a signal fades between equal plans")
				}
			}
			a, b := render(one, 1), render(two, 1)
			for i := range a {
				if a[i] != b[i] {
					t.Fatalf("block %d, frame %d: %g, without a transition %g", n, i, b[i], a[i])
				}
			}
		}
		if two.Ignored() != one.Ignored() {
			t.Errorf("%d ignored, without moves %d", two.Ignored(), one.Ignored())
		}
	}
}

// steepest returns the largest step from a sample to the next.
func steepest(x []float32) (most float64) {
	for i := 1; i < len(x); i++ {
		most = max(most, math.Abs(float64(x[i])-float64(x[i-1])))
	}
	return most
}

const tone = "version: 1\nnodes:\n  - {id: osc, type: sine, params: {freq: 110, gain: 0.5}}\n"

// No step of the sound in a transition is steeper than before or after it, but for the fade: 10 ms
// make 1/480 of full scale, and twice that if one signal replaces another. Nodes that continue keep
// their state, such as an oscillator's phase.
func TestMoveDoesNotClick(t *testing.T) {
	for name, c := range map[string]struct{ from, to string }{
		"an effect comes": {tone + "cables: [osc > out]\n",
			tone + "  - {id: lp, type: biquad, params: {cutoff: 300}}\ncables: [osc > lp > out]\n"},
		"an effect goes": {tone + "  - {id: lp, type: biquad, params: {cutoff: 300}}\ncables: [osc > lp > out]\n",
			tone + "cables: [osc > out]\n"},
		"another source": {tone + "cables: [osc > out]\n",
			"version: 1\nnodes:\n  - {id: two, type: sine, params: {freq: 130, gain: 0.4}}\ncables: [two > out]\n"},
		"the same name, another module": {tone + "cables: [osc > out]\n",
			"version: 1\nnodes:\n  - {id: osc, type: triangle, params: {freq: 110, gain: 0.3}}\ncables: [osc > out]\n"},
		"cables turn round": {tone + "  - {id: a, type: biquad, params: {cutoff: 500}}\n  - {id: b, type: svf}\ncables: [osc > a > b > out]\n",
			tone + "  - {id: a, type: biquad, params: {cutoff: 500}}\n  - {id: b, type: svf}\ncables: [osc > b > a > out]\n"},
		"it becomes stereo": {tone + "  - {id: a, type: biquad}\ncables: [osc > a > out]\n",
			tone + "  - {id: p, type: pan, params: {pan: 0.5}}\n  - {id: a, type: biquad}\ncables: [osc > p > a > out]\n"},
		"a loop comes": {tone + "cables: [osc > out]\n",
			tone + "  - {id: b, type: back}\n  - {id: a, type: biquad}\ncables: [osc > a > out, a > b > a]\n"},
		"a loop goes": {tone + "  - {id: b, type: back}\n  - {id: lp, type: biquad, params: {cutoff: 90}}\n  - {id: v, type: vca, params: {gain: 0.3}}\ncables: [osc > out, osc > lp > v > out, v > b > lp]\n",
			tone + "cables: [osc > out]\n"},
		"a value": {tone + "cables: [osc > out]\n", strings.Replace(tone, "gain: 0.5", "gain: 0.1",
			1) + "cables: [osc > out]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStream(t, c.from, 64, 2)
			long := render(s, 400)
			before, last := steepest(long[20000:]), long[len(long)-1]
			s = switched(t, s, c.to)
			during := append([]float32{last}, render(s, 16)...)
			if s.InTransition() {
				t.Fatal("the transition lasts longer than 1024 frames")
			}
			after := steepest(render(s, 400)[20000:])
			got, most := steepest(during), max(before, after)+2.0/480
			t.Logf("steps: %.4f before, %.4f in the transition, %.4f after", before, got, after)
			if got > most {
				t.Errorf("a step of %.4f; it may be %.4f", got, most)
			}
			if after == 0 {
				t.Error("nothing is heard any more")
			}
		})
	}
}

// A signal is held where rendering it would form a cycle. Its value is the same in a stream that
// was just restored.
func TestMoveAtOnceAfterRestore(t *testing.T) {
	const nodes = tone + "  - {id: a, type: biquad, params: {cutoff: 500}}\n  - {id: b, type: svf}\n"
	one := newStream(t, nodes+"cables: [osc > a > b > out]\n", 64, 2)
	render(one, 7)
	two := newStream(t, nodes+"cables: [osc > a > b > out]\n", 64, 2)
	state, err := one.Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Restore(state); err != nil {
		t.Fatal(err)
	}
	one, two = switched(t, one, nodes+"cables: [osc > b > a > out]\n"), switched(t, two,
		nodes+"cables: [osc > b > a > out]\n")
	if one.HeldSignals() == 0 {
		t.Fatal("no signal is held")
	}
	if a, b := render(one, 20), render(two, 20); !slices.Equal(a, b) {
		t.Error("they differ")
	}
}

// A stream cannot be saved during a transition. Afterwards a restored stream continues bit for bit.
func TestMoveThenRestore(t *testing.T) {
	texts := []string{
		stereo, strings.Replace(stereo, "count: 3", "count: 5", 1), strings.Replace(stereo, "count: 3", "count: 1", 1),
		strings.Replace(stereo, "env > shared > out", "env > out", 1),
		strings.Replace(strings.Replace(stereo, "shared", "mixed", -1), "type: sine", "type: saw", 1),
		beat, strings.Replace(beat, "voices: low, pattern: 0", "voices: low, division: 1/8, pattern: 1", 1),
		strings.Replace(strings.Replace(beat, "id: bass", "id: base", 1), `"x-.x"`, `"xxxx"`, 1),
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := newStream(t, texts[0], 64, 2)
		for range rapid.IntRange(1, 4).Draw(rt, "moves") {
			for range rapid.IntRange(0, 6).Draw(rt, "notes") {
				s.Push(stream.Command{Seq: s.Seq() + 1, Frame: s.Block()*64 + rapid.Uint64Range(0, 3000).Draw(rt,
					"frame"), Kind: stream.Note, Node: 1,
					Param: uint16(rapid.IntRange(50, 60).Draw(rt, "key")), Value: float64(rapid.IntRange(0,
						1).Draw(rt, "on"))})
			}
			render(s, rapid.IntRange(0, 40).Draw(rt, "blocks"))
			s = switched(t, s, rapid.SampledFrom(texts).Draw(rt, "text"))
			if _, err := s.Save(nil); s.InTransition() != (err != nil) {
				rt.Fatalf("in transition: %t; Save: %v", s.InTransition(), err)
			}
		}
		render(s, 8)
		two, err := stream.New(s.Plan())
		if err != nil {
			rt.Fatal(err)
		}
		continues(rt, s, two, rapid.IntRange(0, 20).Draw(rt, "cut"), 60)
	})
}

// A held note continues through a new envelope. A track's note ends with the track.
func TestMoveKeepsNotes(t *testing.T) {
	const voices = "version: 1\nvoices:\n  count: 2\n  nodes:\n    - {id: osc, type: sine, params: {gain: 0.2}}\n"
	s := newStream(t, voices+"cables: [note > osc.pitch > out]\n", 64, 1)
	play(s, note(0, 60, 1))
	render(s, 100)
	s = switched(t, s, voices+"    - {id: env, type: adsr, params: {attack: 0.001, release: 0.01}}\ncables: [note > osc.pitch > env > out]\n")
	render(s, 100)
	if loud := steepest(render(s, 10)); loud == 0 {
		t.Error("the note ended in the transition")
	}
	s.Push(stream.Command{Seq: s.Seq() + 1, Kind: stream.Note, Node: 1, Param: 60})
	render(s, 200)
	if loud := steepest(render(s, 10)); loud != 0 {
		t.Error("the note does not end")
	}
	b := newStream(t, beat, 64, 1)
	render(b, 10)
	if !b.Group(0).Voice(0).Held {
		t.Fatal("the track sounds no note")
	}
	i := strings.Index(beat, "  - {id: bass")
	b = switched(t, b, beat[:i]+beat[strings.Index(beat, "  - {id: lead"):])
	if b.Group(0).Voice(0).Held {
		t.Error("the note of a track that went is held for ever")
	}
}

// A transition does not move the notes of tracks that continue. A changed pattern plays from its
// present place.
func TestMoveKeepsTime(t *testing.T) {
	text := strings.Replace(beat, "mute: true", "mute: false", 1)
	one, two := newStream(t, text, 64, 1), newStream(t, text, 64, 1)
	a := append(render(one, 700), render(one, 4000)...)
	b := render(two, 700)
	two = switched(t, two, strings.Replace(strings.Replace(text, "base: 36, notes", "base: 48, notes", 1), "env2 > out",
		"env2 > tone", 1))
	b = append(b, render(two, 4000)...)
	x, y := onsets(a), onsets(b)
	same := 0
	for i := range min(len(x), len(y)) {
		if x[i] == y[i] {
			same++
		}
	}
	if same < len(x)*9/10 || same < 20 {
		t.Errorf("%d of %d onsets are where they were", same, len(x))
	}
}

// Switching and rendering a transition allocate nothing.
func TestMoveNoAllocs(t *testing.T) {
	other := strings.Replace(beat, "env2 > out", "env2 > tone", 1)
	s := newStream(t, beat, 64, 2)
	out := make([]float32, 128)
	texts, streams := []string{other, beat}, []*stream.Stream{}
	for i := range 50 {
		prev := s
		if i > 0 {
			prev = streams[i-1]
		}
		streams = append(streams, prepare(t, prev, texts[i%2]))
	}
	k := 0
	if n := testing.AllocsPerRun(40, func() {
		s.Switch(streams[k], s.Seq()+1)
		s = streams[k]
		k++
		for range 10 {
			s.Render(out)
		}
	}); n != 0 {
		t.Errorf("%g allocations a move", n)
	}
}
