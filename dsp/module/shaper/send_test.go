package shaper

import (
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// A send passes its part, moved by its signal. A bus at its default passes its input, and keeps the
// sides apart.
func TestSendBus(t *testing.T) {
	const n = 600
	in, by := measure.Noise(1, n), make([]float32, n)
	other := measure.Noise(2, n)
	for i := range by {
		by[i] = 0.25
	}
	out, right, none := make([]float32, n), make([]float32, n), make([]float32, n)
	s := Send.New(rate)
	s.Render([][]float32{in, by}, [][]float32{out})
	for i := range out {
		if out[i] != in[i]*0.5 {
			t.Fatalf("frame %d: %g of %g is sent", i, out[i], in[i])
		}
	}
	b := Bus.New(rate)
	b.Render([][]float32{in, other, none}, [][]float32{out, right})
	for i := range out {
		if out[i] != in[i] || right[i] != other[i] {
			t.Fatalf("frame %d: %g, %g of %g, %g", i, out[i], right[i], in[i], other[i])
		}
	}
	b.Set(0, 0)
	b.Render([][]float32{in, other, none}, [][]float32{out, right})
	if out[n-1] != 0 || right[n-1] != 0 || out[10] == 0 {
		t.Errorf("gain 0 leaves %g, %g, after %g on the way", out[n-1], right[n-1], out[10])
	}
}
