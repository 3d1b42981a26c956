// Package measure takes sounds apart for tests: spectra, distortion, responses.
package measure

import (
	"math"
	"math/cmplx"
)

// FFT transforms x in place; len(x) is a power of two. (Cooley and Tukey, radix 2.)
func FFT(x []complex128) {
	n := len(x)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		if j ^= bit; i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= n; size <<= 1 {
		for k := range size / 2 {
			w := cmplx.Exp(complex(0, -2*math.Pi*float64(k)/float64(size)))
			for i := k; i < n; i += size {
				a, b := x[i], x[i+size/2]*w
				x[i], x[i+size/2] = a+b, a-b
			}
		}
	}
}

// Response is the magnitude in dB at freq in Hz of a filter whose impulse response is h.
func Response(h []float32, freq, rate float64) float64 {
	var sum complex128
	for n, v := range h {
		sum += complex(float64(v), 0) * cmplx.Exp(complex(0, -2*math.Pi*freq/rate*float64(n)))
	}
	return 20 * math.Log10(cmplx.Abs(sum))
}

// THDN is the total harmonic distortion and noise of a sine of freq in Hz, in dB against the sine: what is
// left when the best fitting sine of that frequency is taken away, and the mean with it.
func THDN(x []float32, freq, rate float64) float64 {
	// least squares for a*sin + b*cos + c over many periods, in two passes so that rounding does not count
	res := make([]float64, len(x))
	for i, v := range x {
		res[i] = float64(v)
	}
	total := 0.0
	for range 3 {
		var a, b, c float64
		for i, v := range res {
			s, co := math.Sincos(2 * math.Pi * math.Mod(freq*float64(i), rate) / rate)
			a, b, c = a+v*s, b+v*co, c+v
		}
		n := float64(len(x))
		a, b, c = 2*a/n, 2*b/n, c/n
		total = max(total, math.Hypot(a, b)/math.Sqrt2)
		for i := range res {
			s, co := math.Sincos(2 * math.Pi * math.Mod(freq*float64(i), rate) / rate)
			res[i] -= a*s + b*co + c
		}
	}
	return 20 * math.Log10(RMS(res)/total)
}

// RMS is the root mean square.
func RMS(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(x)))
}
