// Package signal has the small operations on single values that modules of several families share:
// thresholds of silence, limits, the mixture of dry and wet, and the coefficients of smoothers.
package signal

import "github.com/music-chronus/chronus/dsp/internal/approx"

// Floor is the magnitude below which a state counts as silence: 1e-20, which is -400 dB. Without it
// a state would decay for hours as a denormal number, and its voice would never sleep.
const Floor = 1e-20

// LevelFloor is the magnitude below which a measured level counts as 0: 1e-9, which is -180 dB. A
// level that falls with the longest release would take half a minute to Floor.
const LevelFloor = 1e-9

// Silent reports whether the magnitude of v is below Floor.
func Silent(v float64) bool { return v < Floor && v > -Floor }

// Clamp returns v limited to [lo, hi], and lo if v is NaN.
func Clamp(v, lo, hi float64) float64 {
	if !(v >= lo) {
		return lo
	}
	return min(v, hi)
}

// Blend returns a mixture of an effect's input and output. A mix of 0 returns dry bit for bit, a
// mix of 1 returns wet.
func Blend(dry float32, wet, mix float64) float32 {
	if mix == 0 {
		return dry
	}
	v := float64((1-mix)*float64(dry)) + float64(mix*wet)
	if Silent(v) {
		return 0
	}
	return float32(v)
}

// Smoothing returns the part of the remaining distance that a first-order smoother moves in a
// frame. The time constant is in seconds, the rate in Hz.
func Smoothing(seconds, rate float64) float64 { return 1 - approx.Exp(-1/float64(seconds*rate)) }
