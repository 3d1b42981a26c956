package approx

import "math"

// The functions named Quick need one division where those of this package need a dozen. They serve
// coefficients that a signal moves every frame. The functions named Coarse serve levels in dB that
// are computed every frame: an error of 1e-7 dB is inaudible.

// QuickTanPi returns tan(pi x) for x in [0, 0.499]. The relative error is below 1e-10. It is
// Lambert's continued fraction to degree 7, on the nearer side of an eighth of a turn.
func QuickTanPi(x float64) float64 {
	y, over := x, x > 0.25
	if over {
		y = 0.5 - x
	}
	y = float64(y * math.Pi)
	q := float64(y * y)
	p := float64((float64((378-q)*q)-17325)*q) + 135135
	r := float64((3150-float64(28*q))*q) - 62370
	r = float64(r*q) + 135135
	if over {
		return r / float64(p*y)
	}
	return float64(p*y) / r
}

// QuickExp2 returns 2^x for x limited to [-60, 60]. The relative error is below 1e-11. It is the
// Taylor series to degree 9 around the nearest whole octave, summed in pairs that the processor can
// compute in parallel.
func QuickExp2(x float64) float64 {
	switch {
	case x > 60:
		x = 60
	case x < -60:
		x = -60
	}
	whole := math.Floor(x + 0.5)
	y := float64((x - whole) * math.Ln2)
	y2 := float64(y * y)
	y4 := float64(y2 * y2)
	p := 1.0/40320 + float64(y*(1.0/362880))
	p = float64(float64(y4*y4) * p)
	p += float64(y4 * (1.0/24 + float64(y*(1.0/120)) + float64(y2*(1.0/720+float64(y*(1.0/5040))))))
	p += float64(y2 * (0.5 + float64(y*(1.0/6))))
	p += 1 + y
	return float64(p * math.Float64frombits(uint64(int64(whole)+1023)<<52))
}

// QuickTanh returns tanh(x) within 1e-4, and within [-1, 1] for every x. It is Lambert's continued
// fraction to degree 7, up to where that reaches 1. Near 0 the relative error is below 1e-12.
func QuickTanh(x float64) float64 {
	const most = 4.97
	switch {
	case x > most:
		return 1
	case x < -most:
		return -1
	}
	q := float64(x * x)
	q2 := float64(q * q)
	p := 135135 + float64(17325*q) + float64(q2*(378+q))
	r := 135135 + float64(62370*q) + float64(q2*(3150+float64(28*q)))
	return float64(p*x) / r
}

// CoarseDecibels returns the level in dB of a linear factor above 0. The error is below 1e-6 dB.
// It is the series of atanh to degree 9.
func CoarseDecibels(gain float64) float64 {
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
	const perNeper = 17.371779276130073 // 40 log10(e)
	return float64(dBPerOctave*float64(whole)) + float64(float64(perNeper*t)*p)
}

// CoarseGain returns the linear factor of a level within 3000 dB of 0. The relative error is below
// 1e-8.
func CoarseGain(dB float64) float64 { return CoarseExp2(float64(dB * 0.16609640474436813)) }

// CoarseExp2 returns 2^x for x limited to [-500, 500]. The relative error is below 1e-8. It is the
// Taylor series to degree 8.
func CoarseExp2(x float64) float64 {
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
