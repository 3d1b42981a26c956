package measure

import (
	"math"
	"math/cmplx"
	"testing"
)

func TestFFT(t *testing.T) {
	const n = 64
	x, want := make([]complex128, n), make([]complex128, n)
	for i := range x {
		x[i] = complex(math.Sin(float64(i*i)), math.Cos(float64(3*i)))
	}
	for k := range want {
		for i, v := range x {
			want[k] += v * cmplx.Exp(complex(0, -2*math.Pi*float64(k*i)/n))
		}
	}
	FFT(x)
	for k := range x {
		if cmplx.Abs(x[k]-want[k]) > 1e-10 {
			t.Fatalf("bin %d: %v, want %v", k, x[k], want[k])
		}
	}
}

// A sine with a second harmonic of -60 dB measures -60 dB.
func TestTHDN(t *testing.T) {
	x := make([]float32, 48000)
	for i := range x {
		p := 2 * math.Pi * 997 * float64(i) / 48000
		x[i] = float32(0.5*math.Sin(p) + 0.0005*math.Sin(2*p+1))
	}
	if got := THDN(x, 997, 48000); math.Abs(got+60) > 0.01 {
		t.Errorf("%.3f dB", got)
	}
}

func TestResponse(t *testing.T) {
	h := []float32{0.5, 0.5} // the response of the mean of two is cos(pi f/rate)
	for _, f := range []float64{100, 6000, 12000} {
		if got, want := Response(h, f, 48000), 20*math.Log10(math.Cos(math.Pi*f/48000)); math.Abs(got-want) > 1e-9 {
			t.Errorf("%g Hz: %g dB, want %g", f, got, want)
		}
	}
}

// A sine at 997 Hz and full scale is -3.01 LUFS on one channel and 0 LUFS on both (BS.1770). The
// gates remove the silence after it.
func TestLoudness(t *testing.T) {
	x, silent := make([]float32, 10*48000), make([]float32, 10*48000)
	for i := range 5 * 48000 {
		x[i] = float32(math.Sin(2 * math.Pi * 997 * float64(i) / 48000))
	}
	for _, tt := range []struct {
		left, right []float32
		want        float64
	}{{x, silent, -3.01}, {x, x, 0}, {silent, silent, -70}} {
		if got := Loudness(tt.left, tt.right); math.Abs(got-tt.want) > 0.15 {
			t.Errorf("%.2f LUFS, want %.2f", got, tt.want)
		}
	}
}
