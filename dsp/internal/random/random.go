// Package random has the pseudorandom numbers of modules: SplitMix64 by G. Steele, D. Lea and
// C. Flood, "Fast splittable pseudorandom number generators", 2014. A number depends only on the
// state, so that any number of a sequence can be computed without those before it.
package random

// Step is the increment of the state from a number to the next. The period is 2^64 numbers.
const Step = 0x9e3779b97f4a7c15

// Uint64 returns the number of a state.
func Uint64(state uint64) uint64 {
	z := (state ^ state>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uniform returns the number of a state as a value in [-1, 1), with 53 bits.
func Uniform(state uint64) float64 { return float64(int64(Uint64(state))>>11) * (1.0 / (1 << 52)) }
