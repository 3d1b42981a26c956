package measure

import (
	"math"
	"math/rand/v2"
)

// Rate is the rate of the sounds, in Hz.
const Rate = 48000

// Tone returns n frames of a sine of amplitude 1 at freq in Hz, from phase 0 on.
func Tone(freq float64, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.Sin(2 * math.Pi * math.Mod(freq*float64(i), Rate) / Rate))
	}
	return x
}

// Noise returns n frames of white noise in [-1, 1).
func Noise(seed uint64, n int) []float32 {
	r, x := rand.New(rand.NewPCG(seed, 9)), make([]float32, n)
	for i := range x {
		x[i] = float32(r.Float64()*2 - 1)
	}
	return x
}

// Impulse returns n frames, the first of which is height and all others 0.
func Impulse(height float32, n int) []float32 {
	x := make([]float32, n)
	x[0] = height
	return x
}

// Constant returns n frames of v.
func Constant(v float32, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = v
	}
	return x
}
