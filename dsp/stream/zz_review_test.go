package stream

import (
	"bytes"
	"testing"
)

func twin(t *testing.T, s *Stream) *Stream {
	t.Helper()
	two, err := New(s.plan)
	if err != nil {
		t.Fatal(err)
	}
	st, err := s.Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Restore(st); err != nil {
		t.Fatal(err)
	}
	return two
}

func diff(t *testing.T, what string, one, two *Stream, blocks int) {
	t.Helper()
	for n := range blocks {
		a, b := render(one, 1), render(two, 1)
		for i := range a {
			if a[i] != b[i] {
				t.Errorf("%s: block %d frame %d: lived %g, restored %g", what, n, i, a[i], b[i])
				return
			}
		}
		if !one.Moving() && !two.Moving() {
			x, _ := one.Save(nil)
			y, _ := two.Save(nil)
			if !bytes.Equal(x, y) {
				t.Errorf("%s: block %d: states differ", what, n)
				where(t, one, two)
				return
			}
		}
	}
}

// a voice that slept before a change wakes in the middle of a block: a back node of the new plan hears what its oscillator left in its block.
func TestReviewBackHearsStale(t *testing.T) {
	const head = "version: 1\nvoices:\n  count: 2\n  nodes:\n    - {id: osc, type: saw, params: {gain: 0.2}}\n    - {id: env, type: adsr, params: {attack: 0.001, release: 0.01}}\n"
	for _, c := range [][2]string{{"before", "osc"}, {"after", "osc"}, {"before", "note"}, {"after", "note"}} {
		when := c[0]
		s := newStream(t, head+"cables: [note > osc.pitch > env > out]\n", 64, 1)
		play(s, note(0, 60, 1))
		render(s, 50)
		play(s, note(0, 60, 0))
		for s.voices[0].list[0].awake {
			render(s, 1)
		}
		to := head + "nodes:\n  - {id: b, type: back}\n  - {id: lp, type: biquad}\ncables: [note > osc.pitch > env > out, " + c[1] + " > b > lp > out]\n"
		var two *Stream
		if when == "before" {
			two = moved(t, twin(t, s), to)
		}
		s = moved(t, s, to)
		render(s, 30)
		if two == nil {
			two = twin(t, s)
		} else {
			render(two, 30)
		}
		for _, x := range []*Stream{s, two} {
			x.Push(Command{Seq: x.seq + 1, Frame: x.block*64 + 40, Kind: Note, Node: 1, Param: 64, Value: 1})
		}
		diff(t, "back hears "+c[1]+", joiner from "+when, s, two, 20)
	}
}

// after a move that changes what leaves a voice: stale blocks of a sleeping voice
func TestReviewHeardStale(t *testing.T) {
	const head = "version: 1\nvoices:\n  count: 2\n  steal: quietest\n  nodes:\n    - {id: osc, type: sine, params: {gain: 0.2}}\n    - {id: env, type: adsr, params: {attack: 0.001, release: 0.01}}\n"
	s := newStream(t, head+"cables: [note > osc.pitch > env > out]\n", 64, 1)
	play(s, note(0, 60, 1))
	render(s, 50)
	play(s, note(0, 60, 0))
	for s.voices[0].list[0].awake {
		render(s, 1)
	}
	two := twin(t, s)
	to := head + "    - {id: v, type: vca, params: {gain: 0}}\ncables: [note > osc.pitch > v > out, osc > env > out, osc > out]\n"
	a, b := moved(t, s, to), moved(t, two, to)
	render(a, 30)
	render(b, 30)
	for _, x := range []*Stream{a, b} {
		f := x.block * 64
		x.Push(Command{Seq: x.seq + 1, Frame: f + 40, Kind: Note, Node: 1, Param: 64, Value: 1})
		x.Push(Command{Seq: x.seq + 1, Frame: f + 41, Kind: Note, Node: 1, Param: 64, Value: 0})
	}
	diff(t, "heard", a, b, 200)
}

// a leaving node that faulted in the block before the move.
func TestReviewMute(t *testing.T) {
	const nodes = "version: 1\nnodes:\n  - {id: osc, type: sine, params: {freq: 110, gain: 0.5}}\n  - {id: a, type: biquad, params: {cutoff: 500}}\n"
	s := newStream(t, nodes+"cables: [osc > a > out]\n", 64, 1)
	render(s, 7)
	s.nodes[2].units[0].mute = true // as after a fault in the block before
	two := twin(t, s)
	to := "version: 1\nnodes:\n  - {id: osc, type: sine, params: {freq: 110, gain: 0.5}}\ncables: [osc > out]\n"
	diff(t, "mute", moved(t, s, to), moved(t, two, to), 20)
}
