// Package approx has the transcendental functions of sound, as polynomials in float64 with explicit
// rounding. Package math selects code by the processor, so that two workers could differ in the
// last bit. Each function states its range and its error, which the tests measure.
package approx

import "math"

// SinPhase returns the sine of a phase, 2^32 being a turn. The error is below 3.4e-9 (-169 dB). It
// is a Chebyshev expansion of sin(pi/2 x) over [-1, 1] to degree 9.
func SinPhase(phase uint32) float64 {
	// x is in half turns, [-1, 1), folded to the quarter turn around 0.
	x := float64(float64(int32(phase)) / (1 << 31))
	switch {
	case x > 0.5:
		x = 1 - x
	case x < -0.5:
		x = -1 - x
	}
	x *= 2
	const (
		c1 = 1.5707962899027883
		c3 = -0.6459633582709555
		c5 = 0.07968847479734391
		c7 = -0.004672220264754508
		c9 = 0.00015081716037815341
	)
	q := float64(x * x)
	p := float64(c9*q) + c7
	p = float64(p*q) + c5
	p = float64(p*q) + c3
	p = float64(p*q) + c1
	return float64(p * x)
}

// TanPi returns tan(pi x) for x in [0, 0.49]. The relative error is below 1e-13.
func TanPi(x float64) float64 {
	a := float64(math.Pi * x)
	return sin(a) / cos(a)
}

// sin returns the sine of x in [0, pi/2], by the Taylor series to degree 21.
func sin(x float64) float64 {
	q := float64(x * x)
	p := 1.0
	for n := 20.0; n > 0; n -= 2 {
		p = 1 - float64(p*q)/(n*(n+1))
	}
	return float64(p * x)
}

// cos returns the cosine of x in [0, pi/2], by the Taylor series to degree 22.
func cos(x float64) float64 {
	q := float64(x * x)
	p := 1.0
	for n := 21.0; n > 0; n -= 2 {
		p = 1 - float64(p*q)/(n*(n+1))
	}
	return p
}

// Exp returns e^x for x in [-8, 0]. The relative error is below 1e-13. It is the Taylor series to
// degree 14 at x/16, squared four times.
func Exp(x float64) float64 {
	x /= 16
	p := 1.0
	for n := 14.0; n > 0; n-- {
		p = 1 + float64(p*x)/n
	}
	for range 4 {
		p = float64(p * p)
	}
	return p
}
