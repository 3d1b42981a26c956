// Package measure makes and analyses sounds for tests: spectra, distortion, responses, loudness.
package measure

import (
	"math"
	"math/cmplx"
)

// FFT transforms x in place by Cooley and Tukey's algorithm of radix 2. The length is a power of
// two.
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

// Spectrum returns the amplitude of each bin of x, from 0 to half the rate. The length of x is a
// power of two.
func Spectrum(x []float32) []float64 {
	c := make([]complex128, len(x))
	for i, v := range x {
		c[i] = complex(float64(v), 0)
	}
	FFT(c)
	s := make([]float64, len(x)/2)
	for i := range s {
		s[i] = 2 * cmplx.Abs(c[i]) / float64(len(x))
	}
	return s
}

// Response returns the magnitude in dB at freq in Hz of a filter whose impulse response is h.
func Response(h []float32, freq, rate float64) float64 {
	var sum complex128
	w, turn := complex(1, 0), cmplx.Exp(complex(0, -2*math.Pi*freq/rate))
	for _, v := range h {
		sum += complex(float64(v), 0) * w
		w *= turn
	}
	return 20 * math.Log10(cmplx.Abs(sum))
}

// Magnitude is Response as a linear factor, at Rate.
func Magnitude(h []float32, freq float64) float64 {
	return math.Pow(10, Response(h, freq, Rate)/20)
}

// THDN returns the total harmonic distortion and noise of a sine of freq in Hz, in dB against the
// sine: the remainder without the mean and without the best fitting sine of that frequency.
func THDN(x []float32, freq, rate float64) float64 {
	sin, cos := make([]float64, len(x)), make([]float64, len(x))
	res := make([]float64, len(x))
	for i, v := range x {
		res[i] = float64(v)
		sin[i], cos[i] = math.Sincos(2 * math.Pi * math.Mod(freq*float64(i), rate) / rate)
	}
	// Least squares for a*sin + b*cos + c over many periods. Two more passes remove rounding
	// errors.
	total := 0.0
	for range 3 {
		var a, b, c float64
		for i, v := range res {
			a, b, c = a+v*sin[i], b+v*cos[i], c+v
		}
		n := float64(len(x))
		a, b, c = 2*a/n, 2*b/n, c/n
		total = max(total, math.Hypot(a, b)/math.Sqrt2)
		for i := range res {
			res[i] -= a*sin[i] + b*cos[i] + c
		}
	}
	return 20 * math.Log10(RMS(res)/total)
}

// RMS returns the root mean square.
func RMS(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(x)))
}

// Peak returns the greatest magnitude in any of the channels, +Inf if one has a NaN.
func Peak(channels ...[]float32) (most float64) {
	for _, x := range channels {
		for _, v := range x {
			if v != v {
				return math.Inf(1)
			}
			most = max(most, math.Abs(float64(v)))
		}
	}
	return most
}

// Steepest returns the greatest step from a frame to the next.
func Steepest(x []float32) (most float64) {
	for i := 1; i < len(x); i++ {
		most = max(most, math.Abs(float64(x[i])-float64(x[i-1])))
	}
	return most
}
