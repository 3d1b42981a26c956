package stream_test

import (
	"fmt"
	"slices"
	"testing"
)

// sides renders both channels of a patch with these nodes and cables.
func sides(t *testing.T, channels int, nodes, cables string) (x sound) {
	t.Helper()
	s := newStream(t, fmt.Sprintf("version: 1\nnodes: [{id: a, type: sine, params: {gain: 0.5}}, %s]\ncables: [%s]\n",
		nodes, cables), 64, channels)
	out := make([]float32, 64*channels)
	for range 30 {
		s.Render(out)
		for i := 0; i < len(out); i += channels {
			x.left, x.right = append(x.left, out[i]), append(x.right, out[i+channels-1])
		}
	}
	return x
}

func empty(x []float32) bool { return !slices.ContainsFunc(x, func(v float32) bool { return v != 0 }) }

// A mono signal is heard on both sides. A filter behind a stereo signal filters each side by
// itself. A single channel hears the mean.
func TestStereo(t *testing.T) {
	const filter = "{id: f, type: biquad, params: {cutoff: 1000}}"
	mono := sides(t, 2, filter, "a > f > out")
	if empty(mono.left) || !slices.Equal(mono.left, mono.right) {
		t.Error("a mono signal is not the same on both sides")
	}
	left := sides(t, 2, filter+", {id: p, type: pan, params: {pan: -1}}", "a > p > f > out")
	right := sides(t, 2, filter+", {id: p, type: pan, params: {pan: 1}}", "a > p > f > out")
	if !slices.Equal(left.left, mono.left) || !empty(left.right) || !slices.Equal(right.right,
		mono.left) || !empty(right.left) {
		t.Error("what is panned to one side is not that side alone, filtered")
	}
	through := sides(t, 2, filter+", {id: w, type: width}", "a > w > f > out")
	if !slices.Equal(through.left, mono.left) || !slices.Equal(through.right, mono.left) {
		t.Error("a mono signal is not on both sides of a stereo port")
	}
	one := sides(t, 1, filter+", {id: p, type: pan, params: {pan: -1}}", "a > p > f > out")
	for i, v := range one.left {
		if v != mono.left[i]*0.5 {
			t.Fatalf("one channel: frame %d is %g, want half of %g", i, v, mono.left[i])
		}
	}
}

// A mono port of a module with stereo ports hears the sum of both sides.
func TestStereoIntoMono(t *testing.T) {
	const pan = ", {id: p, type: pan}"
	wide := sides(t, 2, "{id: c, type: const, params: {value: 0.25}}, {id: w, type: width}"+pan,
		"c > w > p.pan, a > p > out")
	plain := sides(t, 2, "{id: c, type: const, params: {value: 0.5}}"+pan, "c > p.pan, a > p > out")
	if !slices.Equal(wide.left, plain.left) || !slices.Equal(wide.right, plain.right) {
		t.Error("0.25 on both sides is not heard as 0.5")
	}
}
