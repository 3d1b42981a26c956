// Package dynamics has the modules that change a level by a level, or measure it.
package dynamics

import "math"

// louder returns the greater magnitude of two channels.
func louder(l, r float32) float64 {
	return max(math.Abs(float64(l)), math.Abs(float64(r)))
}
