package random_test

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/random"
)

// The numbers are those of the reference implementation in C, with the seed 1234567.
func TestUint64(t *testing.T) {
	state := uint64(1234567)
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423} {
		state += random.Step
		if got := random.Uint64(state); got != want {
			t.Errorf("number %d is %d, want %d", i, got, want)
		}
	}
}

func TestUniform(t *testing.T) {
	sum, square, state := 0.0, 0.0, uint64(0)
	const n = 100000
	for range n {
		state += random.Step
		v := random.Uniform(state)
		if v < -1 || v >= 1 {
			t.Fatalf("%g is outside [-1, 1)", v)
		}
		sum, square = sum+v, square+v*v
	}
	if math.Abs(sum/n) > 0.01 || math.Abs(square/n-1.0/3) > 0.01 {
		t.Errorf("mean %g, mean square %g", sum/n, square/n)
	}
}
