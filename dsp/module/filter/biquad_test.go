package filter

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

// biquadResponse returns the transfer function that [Biquad] must have at freq, by R.
// Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients". The cutoff, freq
// and rate are in Hz, the gain in dB. The mode is an index into the values of the parameter mode.
func biquadResponse(mode int, cutoff, q, gain, freq, rate float64) complex128 {
	w := 2 * math.Pi * cutoff / rate
	alpha, cosw, a := math.Sin(w)/(2*q), math.Cos(w), math.Pow(10, gain/40)
	root := 2 * math.Sqrt(a) * alpha
	var b0, b1, b2 float64
	a0, a1, a2 := 1+alpha, -2*cosw, 1-alpha
	switch mode {
	case 0:
		b0, b1, b2 = (1-cosw)/2, 1-cosw, (1-cosw)/2
	case 1:
		b0, b1, b2 = (1+cosw)/2, -(1 + cosw), (1+cosw)/2
	case 2:
		b0, b1, b2 = alpha, 0, -alpha
	case 3:
		b0, b1, b2 = 1, -2*cosw, 1
	case 4:
		b0, b1, b2 = 1-alpha, -2*cosw, 1+alpha
	case 5:
		b0, b1, b2 = 1+alpha*a, -2*cosw, 1-alpha*a
		a0, a2 = 1+alpha/a, 1-alpha/a
	case 6:
		b0, b1, b2 = a*(a+1-(a-1)*cosw+root), 2*a*(a-1-(a+1)*cosw), a*(a+1-(a-1)*cosw-root)
		a0, a1, a2 = a+1+(a-1)*cosw+root, -2*(a-1+(a+1)*cosw), a+1+(a-1)*cosw-root
	default:
		b0, b1, b2 = a*(a+1+(a-1)*cosw+root), -2*a*(a-1+(a+1)*cosw), a*(a+1+(a-1)*cosw-root)
		a0, a1, a2 = a+1-(a-1)*cosw+root, 2*(a-1-(a+1)*cosw), a+1-(a-1)*cosw-root
	}
	z := cmplx.Exp(complex(0, -2*math.Pi*freq/rate))
	return (complex(b0, 0) + complex(b1, 0)*z + complex(b2, 0)*z*z) /
		(complex(a0, 0) + complex(a1, 0)*z + complex(a2, 0)*z*z)
}

// The measured response is that of the cookbook within 0.05 dB, for levels above -80 dB.
func TestBiquadResponse(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	worst, count := 0.0, 0
	for mode, name := range Biquad.Params[biquadMode].Names {
		gains := []float64{0}
		if mode > 4 {
			gains = []float64{-24, 6, 24}
		}
		for _, cutoff := range []float64{20, 100, 1000, 5000, 20000} {
			for _, q := range []float64{0.5, math.Sqrt2 / 2, 2, 10} {
				for _, gain := range gains {
					length := 1 << 18 // until the response has decayed
					if cutoff > 20 {
						length = 1 << 15
					}
					h := impulses(&Biquad, measure.New(&Biquad, float64(mode), cutoff, q, gain), 1, length)[0]
					for f := 20.0; f <= 20000; f *= 2.15 {
						want := 20 * math.Log10(cmplx.Abs(biquadResponse(mode, cutoff, q, gain, f, rate)))
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

// The input moves the cutoff like the parameter.
func TestBiquadModulation(t *testing.T) {
	const n = 1 << 13
	in, oct := make([]float32, n), make([]float32, n)
	in[1] = 1 // not the first frame, which has no modulation yet
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

// A sine stays a sine: distortion and noise are below -100 dB at all cutoffs.
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

// Without input the state becomes exactly 0 within a second after the output falls below 1e-20, for
// all cutoffs and resonances. The number of frames does not depend on blocks.
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
				t.Logf("%s, %g Hz, Q %g: below 1e-20 after %.3f s, 0 after %.3f s",
					name, tt.cutoff, tt.q, float64(last)/rate, float64(zero)/rate)
			}
			if zero == 0 || zero > last+rate || last > 30*rate {
				t.Errorf("%s, %g Hz, Q %g: below 1e-20 after frame %d, 0 at frame %d", name, tt.cutoff, tt.q, last, zero)
			}
		}
	}
}
