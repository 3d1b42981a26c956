package approx

import (
	"math"
	"testing"
)

func TestSinPhase(t *testing.T) {
	worst := 0.0
	for i := range 1 << 20 {
		p := uint32(i) << 12
		worst = max(worst, math.Abs(SinPhase(p)-math.Sin(2*math.Pi*float64(p)/(1<<32))))
	}
	t.Logf("largest error %.3g", worst)
	if worst > 3.4e-9 {
		t.Errorf("error %g", worst)
	}
	for p, want := range map[uint32]float64{0: 0, 1 << 31: 0} {
		if got := SinPhase(p); got != want {
			t.Errorf("phase %#x: %g", p, got)
		}
	}
}

// worst returns the greatest relative error of f against ref over [lo, hi].
func worst(lo, hi float64, f, ref func(float64) float64) (w float64) {
	for i := range 100001 {
		x := lo + (hi-lo)*float64(i)/100000
		if r := ref(x); r != 0 {
			w = max(w, math.Abs(f(x)-r)/math.Abs(r))
		}
	}
	return w
}

func TestTanPi(t *testing.T) {
	w := worst(1e-6, 0.49, TanPi, func(x float64) float64 { return math.Tan(math.Pi * x) })
	t.Logf("largest relative error %.3g", w)
	if w > 1e-13 || TanPi(0) != 0 {
		t.Errorf("error %g", w)
	}
}

func TestExp(t *testing.T) {
	w := worst(-8, 0, Exp, math.Exp)
	t.Logf("largest relative error %.3g", w)
	if w > 1e-13 || Exp(0) != 1 {
		t.Errorf("error %g", w)
	}
}
