package stream_test

import (
	"testing"

	"github.com/music-chronus/chronus/dsp/stream"
)

// A bypassed node passes its input through. A node without an input or with a gate is silent.
// Afterwards the node sounds as before.
func TestBypass(t *testing.T) {
	const text = `
version: 1
name: t
nodes:
  - {id: a, type: sine, params: {gain: 0.5}}
  - {id: f, type: biquad, params: {cutoff: 100}}
cables: [a > f > out]
`
	s, plain := newStream(t, text, 64, 1), newStream(t,
		text[:len(text)-len("cables: [a > f > out]\n")]+"cables: [a > out]\n", 64, 1)
	s.Push(stream.Command{Seq: 1, Kind: stream.Bypass, Node: 2, Value: 1})
	got, want := render(s, 20), render(plain, 20)
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("frame %d is %g, the sine alone %g", i, got[i], want[i])
		}
	}
	state, err := s.Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	two := newStream(t, text, 64, 1)
	if err := two.Restore(state); err != nil {
		t.Fatal(err)
	}
	two.Push(stream.Command{Seq: 2, Kind: stream.Bypass, Node: 1, Value: 1})
	for i, v := range render(two, 5) {
		if v != 0 {
			t.Fatalf("frame %d is %g with the only source bypassed", i, v)
		}
	}
	two.Push(stream.Command{Seq: 3, Kind: stream.Bypass, Node: 1, Value: 0})
	if out := render(two, 5); out[100] == 0 {
		t.Error("the source is not let in again")
	}
	env := newStream(t, "", 64, 1)
	env.Push(stream.Command{Seq: 1, Kind: stream.Bypass, Node: 2, Value: 1})
	for i, v := range render(env, 20) {
		if v != 0 {
			t.Fatalf("frame %d is %g behind a bypassed gate", i, v)
		}
	}
}

// A bypassed oscillator is silent: its input, a pitch, is not passed through.
func TestBypassSource(t *testing.T) {
	s := newStream(t, poly("count: 1"), 64, 1)
	osc, _ := lookup(t, s, "osc", "gain")
	play(s, note(0, 45, 1), stream.Command{Kind: stream.Bypass, Node: osc, Value: 1})
	for i, v := range render(s, 20) {
		if v != 0 {
			t.Fatalf("%g at frame %d", v, i)
		}
	}
}
