package filter

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// svfWant returns the analytic responses of the five outputs at freq: the analogue responses with
// warped frequencies.
func svfWant(cutoff, q, freq float64) [5]complex128 {
	s := complex(0, math.Tan(math.Pi*freq/rate)/math.Tan(math.Pi*cutoff/rate))
	den := s*s + s/complex(q, 0) + 1
	return [5]complex128{1 / den, s * s / den, s / complex(q, 0) / den, (s*s + 1) / den, (1 - s*s) / den}
}

// Every output has the analytic response within 0.05 dB, for levels above -80 dB.
func TestSVFResponse(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	worst, count := 0.0, 0
	for _, cutoff := range []float64{20, 100, 1000, 5000, 20000} {
		for _, q := range []float64{0.5, 1, 3, 10, 40} {
			length := 1 << 15
			if cutoff <= 100 {
				if q > 10 {
					continue // rounding errors of the long tail exceed 0.05 dB far above the cutoff
				}
				length = 1 << 17
			}
			hs := impulses(&SVF, measure.New(&SVF, cutoff, q), 1, length)
			for f := 20.0; f <= 20000; f *= 2.15 {
				for k, want := range svfWant(cutoff, q, f) {
					level := 20 * math.Log10(cmplx.Abs(want))
					if level < -80 {
						continue
					}
					diff := math.Abs(measure.Response(hs[k], f, rate) - level)
					worst, count = max(worst, diff), count+1
					if diff > 0.05 {
						t.Errorf("%s, cutoff %g, Q %g at %g Hz: off by %.3f dB", SVF.Outputs[k].Name, cutoff, q, f, diff)
					}
				}
			}
		}
	}
	t.Logf("largest difference from the analytic responses %.4f dB at %d points", worst, count)
}

// A sine stays a sine: distortion and noise are below -100 dB at all cutoffs.
func TestSVFNoise(t *testing.T) {
	for _, cutoff := range []float64{20, 100, 1000, 10000, 20000} {
		outs := filtered(&SVF, measure.New(&SVF, cutoff, 2), measure.Tone(cutoff, 2*rate))
		for _, k := range []int{0, 1, 2, 4} { // the notch removes the sine
			got := measure.THDN(outs[k][rate:], cutoff, rate)
			if k == 0 {
				t.Logf("low at %g Hz: %.1f dB", cutoff, got)
			}
			if got > -100 {
				t.Errorf("%s, cutoff %g: %.1f dB", SVF.Outputs[k].Name, cutoff, got)
			}
		}
	}
}

// The inputs add to the parameters, within the ranges of these.
func TestSVFModulation(t *testing.T) {
	const n = 1 << 12
	in, oct, q := make([]float32, n), make([]float32, n), make([]float32, n)
	in[1] = 1
	for i := range in {
		oct[i], q[i] = -1, 3
	}
	moved := filtered(&SVF, measure.New(&SVF, 2000, 1), in, oct, q)
	still := filtered(&SVF, measure.New(&SVF, 1000, 4), in)
	for k := range still {
		for i := range still[k] {
			if math.Abs(float64(moved[k][i]-still[k][i])) > 1e-7 {
				t.Fatalf("%s, frame %d: %g, without modulation %g", SVF.Outputs[k].Name, i, moved[k][i], still[k][i])
			}
		}
	}
	for i := range in {
		oct[i], q[i] = 1e6, -1e6
	}
	for k, out := range filtered(&SVF, measure.New(&SVF, 2000, 1), measure.Noise(1, n), oct, q) {
		if most := measure.Peak(out); most > 3 {
			t.Errorf("%s at the end of all ranges: %g", SVF.Outputs[k].Name, most)
		}
	}
}
