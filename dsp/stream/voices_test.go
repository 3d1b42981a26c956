package stream_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
)

const noteNode = 1

// poly is a patch with a sine and an envelope in each voice. options are those of its voices.
func poly(options string) string {
	return "version: 1\nvoices:\n  " + options + `
  nodes:
    - {id: osc, type: sine, params: {gain: 0.1}}
    - {id: env, type: adsr, params: {attack: 0.001, decay: 0.001, sustain: 1, release: 0.01}}
cables: [note.pitch > osc > env > out]
`
}

// play pushes commands and numbers them.
func play(s *stream.Stream, commands ...stream.Command) {
	for _, c := range commands {
		c.Seq = s.Seq() + 1
		s.Push(c)
	}
}

func note(frame uint64, key int, velocity float64) stream.Command {
	return stream.Command{Frame: frame, Kind: stream.Note, Node: noteNode, Param: uint16(key), Value: velocity}
}

// crossings counts the times that a signal rises through 0.
func crossings(x []float32) (n int) {
	for i := 1; i < len(x); i++ {
		if x[i-1] < 0 && x[i] >= 0 {
			n++
		}
	}
	return n
}

// awake lists the keys of the voices; -1 is a sleeping one.
func awake(s *stream.Stream) string {
	var out []int
	for i := range s.Group(0).Len() {
		k := -1
		if v := s.Group(0).Voice(i); v.Awake {
			k = v.Key
		}
		out = append(out, k)
	}
	return fmt.Sprint(out)
}

// A note begins at its exact frame and sounds at its pitch until it ends. Then its voice sleeps and
// the output is silent.
func TestNote(t *testing.T) {
	for key, hz := range map[int]float64{69: 440, 57: 220, 81: 880, 60: 261.6255653} {
		s := newStream(t, poly("count: 4"), 64, 2)
		play(s, note(1000, key, 1), note(1000+48000, key, 0))
		out := render(s, 1000)
		for i, v := range out[:1000] {
			if v != 0 {
				t.Fatalf("key %d: %g at frame %d, before the note", key, v, i)
			}
		}
		if got := crossings(out[1100:49000]) * 48000 / 47900; math.Abs(float64(got)-hz) > 1.5 {
			t.Errorf("key %d: %d Hz, want %g", key, got, hz)
		}
		if out[1001] == 0 || out[48990] == 0 {
			t.Errorf("key %d: silent at its beginning or end", key)
		}
		for i, v := range out[49000+480:] {
			if v != 0 {
				t.Fatalf("key %d: %g %d frames after its release", key, v, i)
			}
		}
		if awake(s) != "[-1 -1 -1 -1]" {
			t.Errorf("voices %s", awake(s))
		}
	}
}

// A chord is the sum of its notes.
func TestChord(t *testing.T) {
	chord := newStream(t, poly("count: 4"), 64, 1)
	play(chord, note(0, 60, 1), note(100, 64, 1), note(200, 67, 1))
	got := render(chord, 100)
	sum := make([]float32, len(got))
	for i, key := range []int{60, 64, 67} {
		one := newStream(t, poly("count: 4"), 64, 1)
		play(one, note(uint64(100*i), key, 1))
		for k, v := range render(one, 100) {
			sum[k] += v
		}
	}
	for i := range got {
		if math.Abs(float64(got[i]-sum[i])) > 1e-6 {
			t.Fatalf("frame %d is %g, the notes' sum is %g", i, got[i], sum[i])
		}
	}
}

// A note takes a sleeping voice, else a released one, else the one that the patch's rule names.
func TestSteal(t *testing.T) {
	for _, tt := range []struct {
		options string
		notes   []stream.Command // two blocks apart
		want    string
	}{
		{"count: 3", []stream.Command{note(0, 60, 1), note(0, 62, 1)}, "[60 62 -1]"},
		{"count: 2", []stream.Command{note(0, 60, 1), note(0, 62, 1), note(0, 64, 1)}, "[64 62]"},
		{"count: 2", []stream.Command{note(0, 60, 1), note(0, 62, 1), note(0, 62, 0), note(0, 64, 1)}, "[60 64]"},
		{"count: 2\n  steal: quietest", []stream.Command{note(0, 60, 1), note(0, 62, 1), note(0, 60, 0),
			note(0, 62, 0), note(0, 64, 1)}, "[64 62]"},
		{"count: 2\n  steal: same", []stream.Command{note(0, 60, 1), note(0, 62, 1), note(0, 62, 1)}, "[60 62]"},
		{"count: 3\n  unison: 2", []stream.Command{note(0, 60, 1)}, "[60 60 -1]"},
		{"count: 3\n  unison: 2", []stream.Command{note(0, 60, 1), note(0, 62, 1)}, "[62 60 62]"},
		{"count: 2\n  unison: 2", []stream.Command{note(0, 60, 1), note(0, 62, 1)}, "[62 62]"},
	} {
		s := newStream(t, poly(tt.options), 64, 1)
		for _, n := range tt.notes {
			play(s, n)
			render(s, 2)
		}
		if got := awake(s); got != tt.want {
			t.Errorf("%q: voices %s, want %s", tt.options, got, tt.want)
		}
	}
}

// The pedal holds notes that have ended. A key that is played again ends its last note.
func TestSustain(t *testing.T) {
	s := newStream(t, poly("count: 3"), 64, 1)
	pedal := func(on float64) stream.Command { return stream.Command{Kind: stream.Set, Node: 0, Param: 4, Value: on} }
	play(s, pedal(1), note(0, 60, 1))
	render(s, 2)
	play(s, note(0, 60, 0))
	render(s, 200)
	if awake(s) != "[60 -1 -1]" {
		t.Errorf("with the pedal: %s", awake(s))
	}
	play(s, pedal(0))
	render(s, 200)
	if awake(s) != "[-1 -1 -1]" {
		t.Errorf("after the pedal: %s", awake(s))
	}
	play(s, note(0, 60, 1), note(0, 60, 1))
	render(s, 200)
	play(s, note(0, 60, 0))
	render(s, 200)
	if awake(s) != "[-1 -1 -1]" {
		t.Errorf("a note hangs: %s", awake(s))
	}
}

// Glide moves from the last note's pitch to the next one's in its time. Bend and detune shift the
// pitch by their values.
func TestPitch(t *testing.T) {
	s := newStream(t, poly("count: 1\n  glide: 0.1"), 64, 1)
	play(s, note(0, 57, 1), note(4800, 69, 1))
	render(s, 75)
	pitch := func() float64 { return float64(s.Output(noteNode, 0)[0][63]) }
	if got := pitch(); got != -1 {
		t.Errorf("pitch %g, want -1", got)
	}
	render(s, 38)
	if got := pitch(); math.Abs(got+0.5) > 0.02 {
		t.Errorf("in the middle of the glide: %g, want -0.5", got)
	}
	render(s, 40)
	if got := pitch(); got != 0 {
		t.Errorf("after the glide: %g, want 0", got)
	}
	play(s, stream.Command{Kind: stream.Set, Node: 0, Param: 1, Value: 12})
	render(s, 10)
	if got := pitch(); got != 1 {
		t.Errorf("bent by an octave: %g", got)
	}
	u := newStream(t, poly("count: 2\n  unison: 2\n  detune: 20"), 64, 1)
	play(u, note(0, 69, 1))
	render(u, 2)
	low, high := u.Output(noteNode, 0)[0][0], u.Output(noteNode, 1)[0][0]
	if math.Abs(float64(high-low)-20.0/1200) > 1e-7 || low != -high {
		t.Errorf("unison from %g to %g oct", low, high)
	}
}

// The voices of a note spread from -1 to 1. Each note and voice has another random value, the same
// at each playing.
func TestSpread(t *testing.T) {
	notes := func() (list []float32) {
		u := newStream(t, poly("count: 6\n  unison: 3"), 64, 1)
		play(u, note(0, 69, 1), note(0, 72, 1))
		render(u, 2)
		for i := range u.Group(0).Len() {
			out := u.Output(noteNode, i)
			if want := float32(i%3) - 1; out[patch.NoteSpread][5] != want {
				t.Errorf("voice %d stands at %g, want %g", i, out[patch.NoteSpread][5], want)
			}
			list = append(list, out[patch.NoteRandom][5])
		}
		return list
	}
	a, b := notes(), notes()
	for i, x := range a {
		if !(x >= -1 && x < 1) || slices.Contains(a[:i], x) || x != b[i] {
			t.Errorf("random: %v, then %v", a, b)
		}
	}
	if least, most := slices.Min(a), slices.Max(a); most-least < 0.5 {
		t.Errorf("random: %v", a)
	}
}

// Invalid notes are ignored and counted.
func TestBadNotes(t *testing.T) {
	s := newStream(t, poly("count: 2"), 64, 1)
	play(s, note(0, 129, 0), note(0, 128, 1), note(0, 60, 1.5), note(0, 60, -1), note(0, 60, math.NaN()),
		note(0, 60, math.Inf(1)),
		stream.Command{Kind: stream.Note, Node: 2, Param: 60, Value: 1}, stream.Command{Kind: stream.Gate, Node: 3,
			Value: 1}, stream.Command{Kind: stream.Pressure, Node: noteNode, Param: 200, Value: 1})
	render(s, 2)
	if awake(s) != "[-1 -1]" || s.Ignored() != 9 {
		t.Errorf("%s, %d ignored", awake(s), s.Ignored())
	}
	d := newStream(t, "", 64, 1)
	play(d, note(0, 60, 1))
	if render(d, 1); d.Ignored() != 1 {
		t.Error("a patch without voices took a note")
	}
}

// stereo is a patch with two widths, voices that a shared node hears, a feedback loop, and a
// modulation.
const stereo = `
version: 1
voices:
  count: 3
  steal: quietest
  glide: 0.01
  nodes:
    - {id: osc, type: sine, params: {gain: 0.2}}
    - {id: env, type: adsr, params: {release: 0.02}}
nodes:
  - {id: shared, type: biquad, params: {cutoff: 900}}
  - {id: again, type: back}
  - {id: soft, type: biquad, params: {cutoff: 300}}
cables:
  - note > osc.pitch > env > shared > out
  - shared > again > soft > shared
`

// continues renders blocks with one. From block cut on it also renders with two, which restores
// one's state there, and compares them.
func continues(rt *rapid.T, one, two *stream.Stream, cut, blocks int) {
	rt.Helper()
	out1, out2 := make([]float32, 128), make([]float32, 128)
	for n := range blocks {
		if n == cut {
			b, err := one.Save(nil)
			if err != nil {
				rt.Fatal(err)
			}
			if err := two.Restore(b); err != nil {
				rt.Fatal(err)
			}
			if again, _ := two.Save(nil); !bytes.Equal(again, b) {
				rt.Fatal("restored and saved, the state is another")
			}
		}
		one.Render(out1)
		if n < cut {
			continue
		}
		two.Render(out2)
		for i := range out1 {
			if out1[i] != out2[i] {
				rt.Fatalf("block %d, sample %d: %g and %g", n, i, out1[i], out2[i])
			}
		}
	}
}

// A restored stream with voices continues bit for bit after any notes.
func TestVoicesRestore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		commands := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) stream.Command {
			c := note(rapid.Uint64Range(0, 6000).Draw(rt, "frame"), rapid.IntRange(55, 62).Draw(rt, "key"),
				rapid.Float64Range(0, 1).Draw(rt, "velocity"))
			switch rapid.IntRange(0, 5).Draw(rt, "kind") {
			case 0:
				c.Value = 0
			case 1:
				c.Kind = stream.Pressure
			case 2:
				c.Kind, c.Node, c.Param = stream.Set, 0, uint16(rapid.IntRange(1, 4).Draw(rt, "param"))
				c.Value = math.Round(c.Value)
			}
			return c
		}), 0, 80).Draw(rt, "commands")
		cut := rapid.IntRange(0, 100).Draw(rt, "cut")
		one, two := newStream(t, stereo, 64, 2), newStream(t, stereo, 64, 2)
		play(one, commands...)
		continues(rt, one, two, cut, 120)
	})
}

// A back node gives its input exactly one block later.
func TestBack(t *testing.T) {
	const text = "version: 1\nnodes:\n  - {id: a, type: sine}\n  - {id: b, type: back}\ncables: [a > b > out]\n"
	got := render(newStream(t, text, 64, 1), 20)
	want := render(newStream(t, "version: 1\nnodes:\n  - {id: a, type: sine}\ncables: [a > out]\n", 64, 1), 20)
	for i := range got {
		if w := append(make([]float32, 64), want...)[i]; got[i] != w {
			t.Fatalf("frame %d is %g, want %g", i, got[i], w)
		}
	}
}

// Rendering voices allocates nothing, even when they wake and are stolen.
func TestVoicesNoAllocs(t *testing.T) {
	s := newStream(t, stereo, 64, 2)
	out, k := make([]float32, 128), 0
	if n := testing.AllocsPerRun(500, func() {
		play(s, note(0, 50+k%20, float64(k%3)/2))
		k++
		s.Render(out)
	}); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

// Notes struck together do not steal each other's voices: the quietest voice is one that has
// sounded.
func TestStealFresh(t *testing.T) {
	s := newStream(t, poly("count: 4\n  steal: quietest"), 64, 1)
	play(s, note(0, 40, 1), note(0, 41, 1))
	render(s, 750)
	play(s, note(0, 60, 1), note(0, 64, 1), note(0, 67, 1), note(0, 71, 1))
	render(s, 1)
	got := awake(s)
	for _, key := range []string{"60", "64", "67", "71"} {
		if !strings.Contains(got, key) {
			t.Errorf("voices %s: %s is not among them", got, key)
		}
	}
}

// A patch whose state is too large is rejected before its modules are made.
func TestTooLarge(t *testing.T) {
	p, err := patch.Parse("test", []byte("version: 1\nvoices: {count: 200, nodes: [{id: a, type: sine}, {id: d, type: delay}]}\ncables: [note > a > d > out]\n"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.New(plan); err == nil || !strings.Contains(err.Error(), `node "d": with it the state takes`) {
		t.Errorf("%v", err)
	}
}

// A saved state contains how long a voice has been silent. So a restored stream lets it sleep in
// the same block.
func TestSleepRestores(t *testing.T) {
	one, two := newStream(t, poly("count: 2"), 64, 1), newStream(t, poly("count: 2"), 64, 1)
	play(one, note(0, 60, 1), note(64, 60, 0))
	render(one, 1+10+20) // the note, its release, and half of the silence before it sleeps
	b, err := one.Save(nil)
	if err == nil {
		err = two.Restore(b)
	}
	if err != nil || awake(one) != "[60 -1]" {
		t.Fatalf("%v, voices %s", err, awake(one))
	}
	for n := range 60 {
		render(one, 1)
		render(two, 1)
		if awake(one) != awake(two) {
			t.Fatalf("block %d: voices %s and %s", n, awake(one), awake(two))
		}
	}
	if awake(one) != "[-1 -1]" {
		t.Errorf("voices %s after the silence", awake(one))
	}
}
