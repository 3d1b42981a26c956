package approx

import "math"

// Exp2 returns 2^x for x limited to [-1000, 1000]. The relative error is below 1e-14. It is the
// Taylor series to degree 13 around the nearest whole octave.
func Exp2(x float64) float64 {
	x = max(-1000, min(1000, x))
	whole := math.Floor(x + 0.5)
	y := float64((x - whole) * math.Ln2)
	p := 1.0
	for n := 13.0; n > 0; n-- {
		p = 1 + float64(p*y)/n
	}
	return float64(p * math.Float64frombits(uint64(int64(whole)+1023)<<52))
}

// Log2 returns the logarithm to base 2 for x limited to [1e-300, 1e300]. The error is below 1e-14,
// absolute or relative. It is the series of atanh to degree 31 around the nearest power of two.
func Log2(x float64) float64 {
	x = max(1e-300, min(1e300, x))
	bits := math.Float64bits(x)
	whole := int64(bits>>52) - 1023
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52) // [1, 2)
	if m > math.Sqrt2 {
		m /= 2
		whole++
	}
	t := (m - 1) / (m + 1)
	q := float64(t * t)
	p := 0.0
	for n := 31.0; n > 0; n -= 2 {
		p = 1/n + float64(p*q)
	}
	return float64(whole) + float64(float64(2*t)*p)/math.Ln2
}

// Gain returns the linear factor of a level in dB.
func Gain(dB float64) float64 { return Exp2(dB / dBPerOctave) }

// Decibels returns the level in dB of a linear factor above 0.
func Decibels(gain float64) float64 { return float64(dBPerOctave * Log2(gain)) }

const dBPerOctave = 6.020599913279624 // 20 log10(2)

// Tanh returns the hyperbolic tangent. The error is below 1e-14.
func Tanh(x float64) float64 {
	switch {
	case x > 20:
		return 1
	case x < -20:
		return -1
	case x < 0.1 && x > -0.1: // the difference below would lose digits: the series to degree 13
		q := float64(x * x)
		p := 21844.0/6081075 - float64(q*929569.0/638512875)
		p = -1382.0/155925 + float64(p*q)
		p = 62.0/2835 + float64(p*q)
		p = -17.0/315 + float64(p*q)
		p = 2.0/15 + float64(p*q)
		p = -1.0/3 + float64(p*q)
		return x + float64(float64(x*q)*p)
	}
	e := Exp2(x * (2 / math.Ln2))
	return (e - 1) / (e + 1)
}

// Sin returns the sine of x in turns, for x in [-1e9, 1e9]. The error is below 1e-14 near 0;
// elsewhere it is that of the last bits of x.
func Sin(x float64) float64 {
	x -= math.Floor(x + 0.5) // [-0.5, 0.5)
	switch {
	case x > 0.25:
		x = 0.5 - x
	case x < -0.25:
		x = -0.5 - x
	}
	return sin(float64(2 * math.Pi * x))
}

// Cos returns the cosine of x in turns, as Sin.
func Cos(x float64) float64 { return Sin(x + 0.25) }
