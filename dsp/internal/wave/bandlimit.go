// Package wave has the band-limited cores of oscillators and players: smoothed steps and corners,
// interpolation between points, a windowed sinc, and a half-band filter for twice the rate.
package wave

// Turns returns the upper 53 bits of a 64-bit phase as turns in [0, 1), exactly.
func Turns(phase uint64) float64 { return float64(phase>>11) * (1.0 / (1 << 53)) }

// PhaseStep returns the step a frame of a 64-bit phase, 2^64 being a turn, for a frequency and a
// rate in Hz. The frequency is limited to [0, rate/2]; NaN counts as 0.
func PhaseStep(freq, rate float64) uint64 {
	turns := freq / rate
	switch {
	case turns >= 0.5:
		turns = 0.5
	case !(turns > 0):
		return 0
	}
	return uint64(float64(turns * (1 << 64)))
}

// The smoothed step and corner are those of V. Valimaki, J. Pekonen, J. Nam, "Perceptually
// informed synthesis of bandlimited classical waveforms using integrated polynomial
// interpolation", 2012: the cubic Lagrange polynomial of four points, integrated once for a step
// and twice for a corner. The spectrum is flat within 0.4 dB up to a fifth of the rate. Aliases
// below a fifth of the rate are 34 dB weaker than those of the naive wave; the usual polynomial of
// two points removes 24 dB.

// stepTail returns the value of a smoothed step from 0 to 1, x frames before its middle, for x in
// [0, 2]. The value at the middle is 1/2.
func stepTail(x float64) float64 {
	if x >= 1 {
		v := 2 - x
		q := float64(v * v)
		return float64(q*(q-2)) / 24
	}
	p := 1.0/3 - float64(x*0.125)
	p = 0.25 + float64(x*p)
	p = float64(x*p) - 1
	return 0.5 + float64(x*p)
}

// StepResidual returns a smoothed step from 0 to 1 less a hard one. The step is at phase 0, phase
// is in turns in [0, 1), and dt, at most 0.5, is its step a frame. The step at phase 1 counts too.
func StepResidual(phase, dt float64) (y float64) {
	reach := dt + dt
	if phase < reach {
		y = -stepTail(phase / dt)
	}
	if phase = 1 - phase; phase < reach {
		y += stepTail(phase / dt)
	}
	return y
}

// cornerTail returns a smoothed corner less a hard one, x frames from it, for x in [0, 2]. The
// slope of the corner rises by 1 a frame.
func cornerTail(x float64) float64 {
	if x >= 1 {
		v := 2 - x
		q := float64(v * v)
		return float64(float64(q*v)*(float64(3*q)-10)) / 360
	}
	p := float64(x*0.025) - 1.0/12
	p = float64(x*p) - 1.0/12
	p = 0.5 + float64(x*p)
	p = float64(x*p) - 0.5
	return 11.0/90 + float64(x*p)
}

// CornerResidual returns a smoothed corner less a hard one, with the arguments of StepResidual.
func CornerResidual(phase, dt float64) (y float64) {
	reach := dt + dt
	if phase < reach {
		y = cornerTail(phase / dt)
	}
	if phase = 1 - phase; phase < reach {
		y += cornerTail(phase / dt)
	}
	return y
}

// Saw returns a smoothed saw that rises from -1 to 1, with its edge at phase 0, with the arguments
// of StepResidual.
func Saw(phase, dt float64) float64 {
	return float64(2*phase) - 1 - float64(2*StepResidual(phase, dt))
}

// CubicWeights returns the weights of the points at -1, 0, 1 and 2 in the cubic through them, at x
// in [0, 1].
func CubicWeights(x float64) (a, b, c, d float64) {
	up, down, far := x+1, x-1, x-2
	out, mid := float64(up*x), float64(down*far)
	return float64(x*mid) / -6, float64(up*mid) / 2, float64(out*far) / -2, float64(out*down) / 6
}
