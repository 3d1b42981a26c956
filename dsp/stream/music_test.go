package stream_test

import (
	"math"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/stream"
	"pgregory.net/rapid"
)

// beat is a patch with two tracks at 120 bpm. A sixteenth is 6000 frames.
const beat = `
version: 1
tempo: 120
play: true
voices:
  - id: low
    count: 2
    nodes:
      - {id: osc, type: sine, params: {gain: 0.2}}
      - {id: env, type: adsr, params: {attack: 0.0001, decay: 0.01, sustain: 0.5, release: 0.01}}
  - id: high
    count: 2
    nodes:
      - {id: osc2, type: sine, params: {gain: 0.1}}
      - {id: env2, type: adsr, params: {attack: 0.0001, decay: 0.01, sustain: 0.5, release: 0.01}}
nodes:
  - {id: tone, type: biquad, params: {cutoff: 4000}}
cables:
  - low > osc > env > tone > out
  - high > osc2 > env2 > out
patterns:
  - {number: 0, steps: "X.x. ..x. X... x...", base: 36, notes: [0, 0, 7, 0], gate: 0.5, lanes: [[0.05, ".", 0.4]]}
  - {number: 1, steps: "....", base: 36}
  - {number: 2, steps: "x-.x", base: 72, chance: 0.9, seed: 7}
tracks:
  - {id: bass, voices: low, pattern: 0, lanes: [osc.gain]}
  - {id: lead, voices: high, pattern: 2, division: 1/8t, swing: 0.6, mute: true}
`

// onsets returns the frames at which silence of at least 1000 frames ends.
func onsets(x []float32) (at []int) {
	quiet := 1000
	for i, v := range x {
		switch {
		case v == 0:
			quiet++
		case quiet >= 1000:
			at = append(at, i)
			quiet = 0
		default:
			quiet = 0
		}
	}
	return at
}

// The notes of a pattern begin at their exact frames in every block size. A change of pattern takes
// effect at the bar.
func TestMusic(t *testing.T) {
	text := strings.Replace(beat, "- low > osc > env > tone > out", "- low > osc > env > out", 1)
	text = strings.Replace(text, "- {id: tone, type: biquad, params: {cutoff: 4000}}", "- {id: tone, type: biquad}", 1)
	steps := []int{0, 2, 6, 8, 12, 16, 18, 22, 24, 28} // of two bars
	for _, block := range []int{16, 64, 500} {
		s := newStream(t, text, block, 1)
		node := uint16(s.Plan().SeqNode())
		play(s, stream.Command{Frame: 150000, Kind: stream.Set, Node: node + 1, Param: 0,
			Value: 1}) // the silent pattern, in the second bar
		got := onsets(render(s, 400000/block))
		if len(got) != len(steps) {
			t.Fatalf("block %d: %d notes, at %v", block, len(got), got)
		}
		for i, step := range steps {
			if d := got[i] - step*6000; d < 0 || d > 1 { // a sine's first frame is 0
				t.Errorf("block %d: note %d at frame %d, want %d", block, i, got[i], step*6000)
			}
		}
	}
}

// Commands start the transport, double the tempo, and stop the transport.
func TestTransport(t *testing.T) {
	s := newStream(t, strings.Replace(beat, "play: true", "play: false", 1), 64, 1)
	node := uint16(s.Plan().SeqNode())
	set := func(frame uint64, param uint16, v float64) stream.Command {
		return stream.Command{Frame: frame, Kind: stream.Set, Node: node, Param: param, Value: v}
	}
	play(s, set(48000, 1, 1), set(48000, 0, 240), set(96000, 1, 0),
		stream.Command{Kind: stream.Bypass, Node: node, Value: 1}, set(0, 0, 10))
	got := onsets(render(s, 3000))
	if len(got) != 5 || got[0] < 48000 || got[0] > 48001 || got[1]-got[0] != 6000 {
		t.Errorf("notes at %v", got)
	}
	if s.Ignored() != 2 {
		t.Errorf("%d ignored", s.Ignored())
	}
}

// A lane sets its parameter at the pattern's steps.
func TestLane(t *testing.T) {
	s := newStream(t, beat, 64, 1)
	low := render(s, 6000*2/64)
	high := render(s, 6000*2/64)
	peak := func(x []float32) (most float64) {
		for _, v := range x {
			most = max(most, math.Abs(float64(v)))
		}
		return most
	}
	if peak(high) < 4*peak(low) { // velocities are 1, then 0.7, but no node hears them
		t.Errorf("peaks of %g with gain 0.05, %g with 0.4", peak(low), peak(high))
	}
}

// A restored stream continues its music bit for bit.
func TestMusicRestore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		one, two := newStream(t, beat, 64, 2), newStream(t, beat, 64, 2)
		node := uint16(one.Plan().SeqNode())
		for range rapid.IntRange(0, 20).Draw(rt, "commands") {
			c := stream.Command{Frame: rapid.Uint64Range(0, 60000).Draw(rt, "frame"), Kind: stream.Set,
				Node: node + uint16(rapid.IntRange(0, 2).Draw(rt, "node"))}
			desc := one.Plan().Nodes()[c.Node].Desc
			c.Param = uint16(rapid.IntRange(0, len(desc.Params)-1).Draw(rt, "param"))
			c.Value = rapid.Float64Range(desc.Params[c.Param].Min, desc.Params[c.Param].Max).Draw(rt, "value")
			if desc.Params[c.Param].Whole || desc.Params[c.Param].Names != nil {
				c.Value = math.Round(c.Value)
			}
			play(one, c)
		}
		cut := rapid.IntRange(0, 900).Draw(rt, "cut")
		continues(rt, one, two, cut, 1000)
	})
}

// Playing music allocates nothing.
func TestMusicNoAllocs(t *testing.T) {
	s := newStream(t, beat, 64, 2)
	out := make([]float32, 128)
	if n := testing.AllocsPerRun(3000, func() { s.Render(out) }); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

// A snapshot is taken once a second, between two blocks. A snapshot must take less than a block
// even for long delay lines.
func BenchmarkSave(b *testing.B) {
	s := newStream(b, "version: 1\nnodes:\n  - {id: a, type: sine}\n  - {id: d, type: delay}\n  - {id: r, type: reverb}\ncables: [a > d > r > out]\n", 64, 2)
	state := make([]byte, 0, s.Size())
	for b.Loop() {
		state, _ = s.Save(state[:0])
	}
	b.SetBytes(int64(len(state)))
}

// Patterns and the tempo change while they play. Invalid edits are ignored.
func TestEdit(t *testing.T) {
	s := newStream(t, strings.Replace(beat, "- low > osc > env > tone > out", "- low > osc > env > out", 1), 64, 1)
	node := uint16(s.Plan().SeqNode())
	edit := func(kind stream.Kind, step uint16, v float64) stream.Command {
		return stream.Command{Kind: kind, Node: node, Param: step, Value: v}
	}
	play(s, edit(stream.Steps, 0, 4), edit(stream.Trig, 0, 1), edit(stream.Trig, 1, 0), edit(stream.Trig, 2, 0),
		edit(stream.Trig, 3, 1),
		edit(stream.Steps, 0, 65), edit(stream.Trig, 1, 4), edit(stream.StepChance, 0, 1.5), edit(stream.StepGate, 0,
			math.NaN()), edit(stream.Trig, 128<<6, 1), stream.Command{Kind: stream.Trig, Node: 1})
	got := onsets(render(s, 24000*2/64))
	if len(got) != 4 || got[1]-got[0] < 17999 || got[1]-got[0] > 18001 || got[2]-got[0] != 24000 {
		t.Errorf("notes at %v, want them at 0, 18000, 24000, 42000", got)
	}
	if s.Ignored() != 6 {
		t.Errorf("%d ignored, want 6", s.Ignored())
	}
	play(s, stream.Command{Kind: stream.Ramp, Node: node, Param: 10, Value: 240})
	render(s, 750)
	fast := onsets(render(s, 1500))
	if len(fast) < 8 || fast[6]-fast[4] != 12000 {
		t.Errorf("notes at %v after a ramp to twice the tempo", fast)
	}
}

// A stream that starts at a late block, because its patch replaces one that was given up, begins
// its music at the first beat.
func TestMusicBeginsLate(t *testing.T) {
	text := strings.Replace(beat, "- low > osc > env > tone > out", "- low > osc > env > out", 1)
	late, first := newStream(t, text, 64, 1), newStream(t, text, 64, 1)
	late.Start(70000, 12)
	got, want := render(late, 500), render(first, 500)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("frame %d is %g, want %g", i, got[i], want[i])
		}
	}
}
