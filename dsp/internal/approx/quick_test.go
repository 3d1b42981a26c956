package approx

import (
	"math"
	"testing"
)

func TestQuick(t *testing.T) {
	for _, tt := range []struct {
		name          string
		lo, hi, floor float64
		f, ref        func(float64) float64
		most          float64
	}{
		{"QuickTanPi", 0, 0.499, 1e-300, QuickTanPi, func(x float64) float64 { return math.Tan(math.Pi * x) }, 1e-10},
		{"QuickExp2", -60, 60, 1e-300, QuickExp2, math.Exp2, 1e-11},
		{"QuickTanh", -20, 20, 1, QuickTanh, math.Tanh, 1e-4},
		{"QuickTanh near 0", -0.01, 0.01, 1e-4, QuickTanh, math.Tanh, 1e-12},
	} {
		w := apart(tt.lo, tt.hi, tt.floor, tt.f, tt.ref)
		t.Logf("%s: largest error %.3g", tt.name, w)
		if w > tt.most {
			t.Errorf("%s: error %g, at most %g", tt.name, w, tt.most)
		}
	}
	if QuickTanh(1e30) != 1 || QuickTanh(-1e30) != -1 {
		t.Error("tanh leaves [-1, 1]")
	}
}

func TestCoarse(t *testing.T) {
	worst, relative := 0.0, 0.0
	for dB := -200.0; dB < 150; dB += 0.0037 {
		g := math.Pow(10, dB/20)
		worst = max(worst, math.Abs(CoarseDecibels(g)-dB))
		relative = max(relative, math.Abs(CoarseGain(dB)/g-1))
	}
	t.Logf("level %.2g dB, gain %.2g", worst, relative)
	if worst > 1e-6 || relative > 1e-8 {
		t.Errorf("level %g dB, gain %g", worst, relative)
	}
}
