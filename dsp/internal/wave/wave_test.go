package wave_test

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

func TestPhaseStep(t *testing.T) {
	for _, tt := range []struct {
		freq float64
		want uint64
	}{{12000, 1 << 62}, {24000, 1 << 63}, {1e9, 1 << 63}, {0, 0}, {-5, 0}, {math.NaN(), 0}} {
		if got := wave.PhaseStep(tt.freq, 48000); got != tt.want {
			t.Errorf("%g Hz: %d, want %d", tt.freq, got, tt.want)
		}
	}
	if got := wave.Turns(3 << 62); got != 0.75 {
		t.Errorf("three quarters of a turn are %g", got)
	}
}

// The residuals are 0 two frames from the edge, and the smoothed saw passes the middle of its step.
func TestResiduals(t *testing.T) {
	const dt = 0.01
	for _, phase := range []float64{0.02, 0.5, 0.98} {
		if s, c := wave.StepResidual(phase, dt), wave.CornerResidual(phase, dt); s != 0 || c != 0 {
			t.Errorf("phase %g: step %g, corner %g", phase, s, c)
		}
	}
	if y := wave.Saw(0, dt); math.Abs(y) > 1e-12 {
		t.Errorf("the saw is %g at its edge", y)
	}
}

// A cubic is interpolated exactly.
func TestCubicWeights(t *testing.T) {
	f := func(x float64) float64 { return 1 + x*(2+x*(-3+x*4)) }
	for x := 0.0; x <= 1; x += 0.125 {
		a, b, c, d := wave.CubicWeights(x)
		if got := a*f(-1) + b*f(0) + c*f(1) + d*f(2); math.Abs(got-f(x)) > 1e-12 {
			t.Errorf("at %g: %g, want %g", x, got, f(x))
		}
	}
}

// The half-band filter is flat up to 0.22 of the higher rate and 80 dB down from 0.275 of it.
func TestHalfBand(t *testing.T) {
	var h wave.HalfBand
	response := make([]float32, 4096)
	for i := 0; i < len(response); i += 2 {
		x := 0.0
		if i == 0 {
			x = 1
		}
		a, b := h.Double(x)
		response[i], response[i+1] = float32(a), float32(b)
	}
	for f := 0.01; f < 0.5; f += 0.005 {
		dB := measure.Response(response, f, 1) - measure.Response(response, 0.001, 1)
		if f <= 0.22 && math.Abs(dB) > 0.01 || f >= 0.275 && dB > -79 {
			t.Errorf("at %.3f of the rate: %.2f dB", f, dB)
		}
	}
	if !h.Silent() {
		t.Error("the filter rings on after 2048 frames")
	}
}

// The weights of a constant sum to the inverse of the bandwidth.
func TestSincWeights(t *testing.T) {
	var w [wave.SincWeights]float64
	ones := measure.Constant(1, len(w))
	for _, narrow := range []float64{1, 0.5, 1.0 / wave.SincWidest} {
		for part := 0.0; part < 1; part += 0.1 {
			weights := wave.SharedSinc().Weights(&w, part, narrow)
			if got := wave.WeightedSum(weights, ones) * narrow; math.Abs(got-1) > 1e-3 {
				t.Errorf("bandwidth %g, part %g: the sum is %g", narrow, part, got)
			}
		}
	}
}
