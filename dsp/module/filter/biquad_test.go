package filter

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// The filter measures what the cookbook computes, within 0.05 dB, wherever that is above -80 dB.
func TestBiquadResponse(t *testing.T) {
	worst, count := 0.0, 0
	for mode, name := range Biquad.Params[biquadMode].Names {
		gains := []float64{0}
		if mode > 4 {
			gains = []float64{-24, 6, 24}
		}
		for _, cutoff := range []float64{20, 100, 1000, 5000, 20000} {
			for _, q := range []float64{0.5, math.Sqrt2 / 2, 2, 10} {
				for _, gain := range gains {
					length := 1 << 18 // until it has died away
					if cutoff > 20 {
						length = 1 << 15
					}
					h := impulses(&Biquad, measure.New(&Biquad, float64(mode), cutoff, q, gain), 1, length)[0]
					for f := 20.0; f <= 20000; f *= 2.15 {
						want := 20 * math.Log10(cmplx.Abs(BiquadResponse(mode, cutoff, q, gain, f, rate)))
						if want < -80 {
							continue
						}
						diff := math.Abs(measure.Response(h, f, rate) - want)
						worst, count = max(worst, diff), count+1
						if diff > 0.05 {
							t.Errorf("%s, cutoff %g, Q %g, %g dB at %g Hz: off by %.3f dB", name, cutoff, q, gain, f, diff)
						}
					}
				}
			}
		}
	}
	t.Logf("largest difference from the cookbook %.4f dB at %d points", worst, count)
}

// Moved there by the input, the cutoff is where the parameter would have put it.
func TestBiquadModulation(t *testing.T) {
	const n = 1 << 13
	in, oct := make([]float32, n), make([]float32, n)
	in[1] = 1 // the modulation is there from the first frame on
	for i := range oct {
		oct[i] = 2
	}
	moved := filtered(&Biquad, measure.New(&Biquad, 0, 500, 2), in, oct)[0]
	still := filtered(&Biquad, measure.New(&Biquad, 0, 2000, 2), in)[0]
	for i := range still {
		if math.Abs(float64(moved[i]-still[i])) > 1e-7 {
			t.Fatalf("frame %d: %g, at 2000 Hz without modulation %g", i, moved[i], still[i])
		}
	}
}

// A sine through the filter comes out as a sine: what is added is below -100 dB at all cutoffs.
func TestBiquadSNR(t *testing.T) {
	for _, cutoff := range []float64{20, 200, 2000, 20000} {
		out := filtered(&Biquad, measure.New(&Biquad, 0, cutoff), measure.Tone(cutoff, 3*rate))[0]
		got := measure.THDN(out[2*rate:], cutoff, rate)
		t.Logf("filter at %g Hz: %.1f dB", cutoff, got)
		if got > -100 {
			t.Errorf("cutoff %g: %.1f dB", cutoff, got)
		}
	}
}

// Without input the filter's state comes to exactly 0, however slow or resonant: within a second of the
// output's passing 1e-20, and in a number of frames that has nothing to do with blocks.
func TestBiquadSilence(t *testing.T) {
	for _, tt := range []struct{ cutoff, q float64 }{{10, 0.1}, {10, 20}, {1000, 20}, {0.49 * rate, 20}, {0.49 * rate, 0.1}} {
		for mode, name := range Biquad.Params[biquadMode].Names {
			b := measure.New(&Biquad, float64(mode), tt.cutoff, tt.q, 24).(*biquad)
			b.frame(1)
			last, zero := 0, 0
			for i := 1; i < 40*rate && zero == 0; i++ {
				if y := b.frame(0); y >= signal.Floor || y <= -signal.Floor {
					last = i
				}
				if b.svf.s1 == 0 && b.svf.s2 == 0 {
					zero = i
				}
			}
			if mode == 0 || zero > 20*rate {
				t.Logf("%s, %g Hz, Q %g: below 1e-20 after %.3f s, 0 after %.3f s", name, tt.cutoff, tt.q, float64(last)/rate, float64(zero)/rate)
			}
			if zero == 0 || zero > last+rate || last > 30*rate {
				t.Errorf("%s, %g Hz, Q %g: below 1e-20 after frame %d, 0 at frame %d", name, tt.cutoff, tt.q, last, zero)
			}
		}
	}
}
