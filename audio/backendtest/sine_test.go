package backendtest_test

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/audio/backendtest"
)

// backendtest.FitSine finds no break in a whole sine, and the place of each kind of damage.
func TestFitSine(t *testing.T) {
	const rate, frequency = 48000, 443.37
	sine := func(from, n int) (x []float32) {
		for i := from; i < from+n; i++ {
			x = append(x, float32(0.5*math.Sin(2*math.Pi*frequency/rate*float64(i)+0.3)))
		}
		return x
	}
	whole := append(make([]float32, 700), sine(0, 20000)...)
	damaged := func(at int, f func(x []float32) []float32) []float32 {
		x := append([]float32{}, whole...)
		return append(x[:at:at], f(x[at:])...)
	}
	for _, tt := range []struct {
		name    string
		samples []float32
		at      int // -1: no break
	}{
		{"whole", whole, -1},
		{"silent end", append(append([]float32{}, whole...), make([]float32, 900)...), -1},
		{"one sample", damaged(9000, func(x []float32) []float32 { x[0] += 2 * backendtest.SineLimit; return x }), 9000},
		{"64 frames lost", damaged(9000, func(x []float32) []float32 { return x[64:] }), 9000},
		{"64 frames doubled", damaged(9000, func(x []float32) []float32 { return append(append([]float32{}, x[:64]...), x...) }), 9064},
		{"silence inside", damaged(9000, func(x []float32) []float32 { clear(x[:2000]); return x }), 9000},
		{"louder", damaged(9000, func(x []float32) []float32 {
			for i := range x {
				x[i] *= 1.01
			}
			return x
		}), 9000},
	} {
		s := backendtest.FitSine(tt.samples, rate, frequency)
		if s.Skipped < 700 || s.Skipped > 701 || s.Worst > backendtest.SineLimit/10 {
			t.Errorf("%s: skipped %d, %v", tt.name, s.Skipped, s)
		}
		if tt.at < 0 && (len(s.Breaks) != 0 || s.Frames < 19000) {
			t.Errorf("%s: %v", tt.name, s)
		}
		if tt.at >= 0 && (len(s.Breaks) != 1 || s.Breaks[0].At < tt.at || s.Breaks[0].At > tt.at+64) {
			t.Errorf("%s: %v, want one break at %d", tt.name, s, tt.at)
		}
	}
}
