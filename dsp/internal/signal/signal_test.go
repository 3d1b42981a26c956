package signal_test

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/signal"
)

func TestClamp(t *testing.T) {
	for v, want := range map[float64]float64{-2: -1, 0.5: 0.5, 3: 1, math.Inf(1): 1} {
		if got := signal.Clamp(v, -1, 1); got != want {
			t.Errorf("%g becomes %g, want %g", v, got, want)
		}
	}
	if got := signal.Clamp(math.NaN(), -1, 1); got != -1 {
		t.Errorf("NaN becomes %g", got)
	}
}

func TestBlend(t *testing.T) {
	if got := signal.Blend(float32(math.Copysign(0, -1)), 1, 0); !math.Signbit(float64(got)) {
		t.Errorf("mix 0 changes -0 to %g", got)
	}
	if a, b := signal.Blend(1, 0.5, 0.5), signal.Blend(0, 1e-21, 1); a != 0.75 || b != 0 {
		t.Errorf("half of 1 and of 0.5 is %g; a faint output is %g", a, b)
	}
}

// A step reaches 63 % after the time constant.
func TestSmoothing(t *testing.T) {
	y, part := 0.0, signal.Smoothing(0.01, 48000)
	for range 480 {
		y += part * (1 - y)
	}
	if math.Abs(y-(1-1/math.E)) > 1e-6 {
		t.Errorf("after the time constant %g", y)
	}
}
