package stream_test

import (
	"testing"

	"github.com/music-chronus/chronus/dsp/stream"
)

// A node that is bypassed lets its input through, one without an input or with a gate is silent; let in again it sounds as before.
func TestBypass(t *testing.T) {
	const text = `
version: 1
name: t
nodes:
  - {id: a, type: sine, params: {gain: 0.5}}
  - {id: f, type: biquad, params: {cutoff: 100}}
cables: [a > f > out]
`
	s, plain := newStream(t, text, 64, 1), newStream(t, text[:len(text)-len("cables: [a > f > out]\n")]+"cables: [a > out]\n", 64, 1)
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
