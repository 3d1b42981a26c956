package approx

import (
	"math"
	"testing"
)

// apart returns the greatest error of f against ref over [lo, hi], relative to the greater of ref
// and floor.
func apart(lo, hi, floor float64, f, ref func(float64) float64) (w float64) {
	for i := range 200001 {
		x := lo + (hi-lo)*float64(i)/200000
		r := ref(x)
		w = max(w, math.Abs(f(x)-r)/max(floor, math.Abs(r)))
	}
	return w
}

func TestPowers(t *testing.T) {
	for _, tt := range []struct {
		name          string
		lo, hi, floor float64
		f, ref        func(float64) float64
		most          float64
	}{
		{"Exp2", -60, 60, 1e-300, Exp2, math.Exp2, 1e-14},
		{"Log2", 1e-6, 64, 1, Log2, math.Log2, 1e-14},
		{"Log2 near 1", 0.9, 1.1, 1, Log2, math.Log2, 1e-14},
		{"Tanh", -25, 25, 1e-3, Tanh, math.Tanh, 1e-13},
		{"Tanh near 0", -0.2, 0.2, 1e-6, Tanh, math.Tanh, 1e-13},
		{"Gain", -120, 60, 1e-300, Gain, func(x float64) float64 { return math.Pow(10, x/20) }, 1e-13},
		{"Decibels", 1e-6, 10, 1, Decibels, func(x float64) float64 { return 20 * math.Log10(x) }, 1e-13},
		{"Sin", -3, 3, 1, Sin, func(x float64) float64 { return math.Sin(2 * math.Pi * x) }, 1e-14},
		{"Cos", -3, 3, 1, Cos, func(x float64) float64 { return math.Cos(2 * math.Pi * x) }, 1e-14},
	} {
		w := apart(tt.lo, tt.hi, tt.floor, tt.f, tt.ref)
		t.Logf("%s: largest error %.3g", tt.name, w)
		if w > tt.most {
			t.Errorf("%s: error %g, at most %g", tt.name, w, tt.most)
		}
	}
	for _, x := range []float64{-2000, 2000, 1000, -1000} {
		if y := Exp2(x); y <= 0 || math.IsInf(y, 0) {
			t.Errorf("2^%g is %g", x, y)
		}
	}
	if Exp2(0) != 1 || Exp2(10) != 1024 || Log2(8) != 3 || Tanh(0) != 0 || Tanh(1e9) != 1 || Sin(0) != 0 {
		t.Error("exact values are not exact")
	}
}
