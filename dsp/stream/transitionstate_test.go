package stream_test

import (
	"bytes"
	"github.com/music-chronus/chronus/dsp/stream"
	"testing"
)

// twin makes a stream and restores another's state into it.
func twin(t *testing.T, s *stream.Stream) *stream.Stream {
	t.Helper()
	two, err := stream.New(s.Plan())
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

// diff renders both streams and compares their bits and states.
func diff(t *testing.T, what string, one, two *stream.Stream, blocks int) {
	t.Helper()
	for n := range blocks {
		a, b := render(one, 1), render(two, 1)
		for i := range a {
			if a[i] != b[i] {
				t.Errorf("%s: block %d frame %d: lived %g, restored %g", what, n, i, a[i], b[i])
				return
			}
		}
		if !one.InTransition() && !two.InTransition() {
			x, _ := one.Save(nil)
			y, _ := two.Save(nil)
			if !bytes.Equal(x, y) {
				t.Errorf("%s: block %d: states differ", what, n)
				return
			}
		}
	}
}

// A voice that slept before a transition wakes in the middle of a block. A feedback node of the new
// plan hears nothing of the voice's past signals, whether a worker restored its state before the
// transition or after it.
func TestMoveBackHearsNoPast(t *testing.T) {
	const head = "version: 1\nvoices:\n  count: 2\n  nodes:\n    - {id: osc, type: saw, params: {gain: 0.2}}\n    - {id: env, type: adsr, params: {attack: 0.001, release: 0.01}}\n"
	for _, c := range [][2]string{{"before", "osc"}, {"after", "osc"}, {"before", "note"}, {"after", "note"}} {
		when := c[0]
		s := newStream(t, head+"cables: [note > osc.pitch > env > out]\n", 64, 1)
		play(s, note(0, 60, 1))
		render(s, 50)
		play(s, note(0, 60, 0))
		for s.Group(0).Voice(0).Awake {
			render(s, 1)
		}
		to := head + "nodes:\n  - {id: b, type: back}\n  - {id: lp, type: biquad}\ncables: [note > osc.pitch > env > out, " + c[1] + " > b > lp > out]\n"
		var two *stream.Stream
		if when == "before" {
			two = switched(t, twin(t, s), to)
		}
		s = switched(t, s, to)
		render(s, 30)
		if two == nil {
			two = twin(t, s)
		} else {
			render(two, 30)
		}
		for _, x := range []*stream.Stream{s, two} {
			x.Push(stream.Command{Seq: x.Seq() + 1, Frame: x.Block()*64 + 40, Kind: stream.Note, Node: 1, Param: 64,
				Value: 1})
		}
		diff(t, "back hears "+c[1]+", joiner from "+when, s, two, 20)
	}
}

// A node that had a fault in the last block is removed. The node is heard as it fades, in every
// worker.
func TestMoveMute(t *testing.T) {
	const nodes = "version: 1\nnodes:\n  - {id: osc, type: sine, params: {freq: 110, gain: 0.5}}\n  - {id: a, type: biquad, params: {cutoff: 500}}\n"
	s := newStream(t, nodes+"cables: [osc > a > out]\n", 64, 1)
	render(s, 7)
	s.Mute(2)
	two := twin(t, s)
	to := "version: 1\nnodes:\n  - {id: osc, type: sine, params: {freq: 110, gain: 0.5}}\ncables: [osc > out]\n"
	diff(t, "mute", switched(t, s, to), switched(t, two, to), 20)
}

// A group and its unison grow while one of its notes plays.
func TestMoveUnison(t *testing.T) {
	mk := func(count, unison string) string {
		return "version: 1\nvoices:\n  count: " + count + "\n  unison: " + unison + "\n  detune: 20\n  nodes:\n    - {id: osc, type: sine, params: {gain: 0.2}}\n    - {id: p, type: pan}\n    - {id: env, type: adsr, params: {attack: 0.001, release: 0.01}}\ncables: [note > osc.pitch > env > p > out, note.spread > p.pan, note.random > osc]\n"
	}
	s := newStream(t, mk("4", "2"), 64, 2)
	two := newStream(t, mk("4", "2"), 64, 2)
	for _, x := range []*stream.Stream{s, two} {
		play(x, note(0, 60, 1))
	}
	render(s, 10)
	render(two, 10)
	two = twin(t, two)
	s, two = switched(t, s, mk("6", "3")), switched(t, two, mk("6", "3"))
	for _, x := range []*stream.Stream{s, two} {
		x.Push(stream.Command{Seq: x.Seq() + 1, Frame: x.Block()*64 + 40, Kind: stream.Note, Node: 1, Param: 64,
			Value: 1})
	}
	diff(t, "unison", s, two, 40)
	two = twin(t, s)
	diff(t, "unison, after", s, two, 40)
}
