package module

import "math"

// What the modules that work in dB share: logarithm and power as short series, for an error of 1e-7 dB is nothing to a level, and
// they run at every frame.

// levelOf is a linear factor, above 0, in dB. Error below 1e-6 dB: the series of atanh to degree 9.
func levelOf(gain float64) float64 {
	bits := math.Float64bits(gain)
	whole := int64(bits>>52&0x7ff) - 1023
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52) // [1, 2)
	if m > math.Sqrt2 {
		m *= 0.5
		whole++
	}
	t := (m - 1) / (m + 1)
	q := float64(t * t)
	p := 1.0/7 + float64(q*(1.0/9))
	p = 1.0/5 + float64(p*q)
	p = 1.0/3 + float64(p*q)
	p = 1 + float64(p*q)
	return float64(6.020599913279624*float64(whole)) + float64(float64(17.371779276130073*t)*p) // 20 log10(2) and 40 log10(e)
}

// gainOf is a level in dB, within 3000 of 0, as a linear factor. Relative error below 1e-8.
func gainOf(dB float64) float64 { return octavesOf(float64(dB * 0.16609640474436813)) }

// octavesOf is the factor of a number of octaves, within 500 of 0. Relative error below 1e-8: the Taylor series to degree 8.
func octavesOf(x float64) float64 {
	x = max(-500, min(500, x))
	whole := math.Floor(x + 0.5)
	y := float64((x - whole) * math.Ln2)
	p := 1.0/5040 + float64(y*(1.0/40320))
	p = 1.0/720 + float64(p*y)
	p = 1.0/120 + float64(p*y)
	p = 1.0/24 + float64(p*y)
	p = 1.0/6 + float64(p*y)
	p = 0.5 + float64(p*y)
	p = 1 + float64(p*y)
	p = 1 + float64(p*y)
	return float64(p * math.Float64frombits(uint64(int64(whole)+1023)<<52))
}

// louder is the larger magnitude of two channels.
func louder(l, r float32) float64 {
	return max(math.Abs(float64(l)), math.Abs(float64(r)))
}
