package stream

import "testing"

// a group grows while a note of it plays in unison
func TestReviewUnison(t *testing.T) {
	mk := func(count, unison string) string {
		return "version: 1\nvoices:\n  count: " + count + "\n  unison: " + unison + "\n  detune: 20\n  nodes:\n    - {id: osc, type: sine, params: {gain: 0.2}}\n    - {id: p, type: pan}\n    - {id: env, type: adsr, params: {attack: 0.001, release: 0.01}}\ncables: [note > osc.pitch > env > p > out, note.spread > p.pan, note.random > osc]\n"
	}
	_ = mk
	s := newStream(t, mk("4", "2"), 64, 2)
	two := newStream(t, mk("4", "2"), 64, 2)
	for _, x := range []*Stream{s, two} {
		play(x, note(0, 60, 1))
	}
	render(s, 10)
	render(two, 10)
	two = twin(t, two)
	s, two = moved(t, s, mk("6", "3")), moved(t, two, mk("6", "3"))
	for _, x := range []*Stream{s, two} {
		x.Push(Command{Seq: x.seq + 1, Frame: x.block*64 + 40, Kind: Note, Node: 1, Param: 64, Value: 1})
	}
	diff(t, "unison", s, two, 40)
	two = twin(t, s)
	diff(t, "unison, after", s, two, 40)
}
