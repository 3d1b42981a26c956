package control

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// lfoSound returns n frames of an LFO with the given parameters and a constant at the input rate.
func lfoSound(n int, octaves float32, values ...float64) []float32 {
	return measure.Play(&LFO, measure.New(&LFO, values...), n, measure.Constant(octaves, n))[0]
}

// Each shape has the expected values at the eighths of a cycle. At 48 Hz a cycle has 1000 frames.
func TestLFOShapes(t *testing.T) {
	h := math.Sqrt2 / 2
	for shape, want := range [][8]float64{
		{0, h, 1, h, 0, -h, -1, -h},
		{0, 0.5, 1, 0.5, 0, -0.5, -1, -0.5},
		{1, 0.75, 0.5, 0.25, 0, -0.25, -0.5, -0.75},
		{-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75},
		{1, 1, 1, 1, -1, -1, -1, -1},
	} {
		for _, phase := range []int{0, 1, 6} {
			got := lfoSound(1000, 0, 48, float64(shape), 3, float64(phase)/8)
			uni := lfoSound(1000, 0, 48, float64(shape), 3, float64(phase)/8, 1)
			for k := range 8 {
				y := want[(k+phase)%8]
				if shape == 4 && (k+phase)%4 == 0 {
					continue // the edge may be a frame late
				}
				if math.Abs(float64(got[k*125])-3*y) > 1e-5 || math.Abs(float64(uni[k*125])-1.5*(1+y)) > 1e-5 {
					t.Errorf("shape %d, phase %d/8, eighth %d: %g and %g, want 3 times %g",
						shape, phase, k, got[k*125], uni[k*125], y)
				}
			}
		}
	}
}

// The frequency is exact over a minute, and an octave at the input doubles it.
func TestLFORate(t *testing.T) {
	l := measure.New(&LFO, 0.3217).(*lfo)
	for range 60 {
		measure.Play(&LFO, l, rate, measure.Constant(1, rate))
	}
	turns := float64(l.cycle) + float64(l.phase)/math.Exp2(64)
	t.Logf("%.9f cycles in a minute", turns)
	if math.Abs(turns-60*2*0.3217) > 1e-6 {
		t.Errorf("%g cycles, want %g", turns, 60*2*0.3217)
	}
}

// Random values are distributed evenly, constant within a cycle, and depend on the seed. The shape
// smooth passes through them without a step.
func TestLFORandom(t *testing.T) {
	const n = 100 * rate
	got := lfoSound(n, 0, 48, 5)
	var sum, square float64
	for i, v := range got {
		if i%1000 > 1 && v != got[i-1] {
			t.Fatalf("another value within a cycle, at frame %d", i)
		}
		sum, square = sum+float64(v), square+float64(v)*float64(v)
	}
	mean, spread := sum/n, math.Sqrt(square/n)
	t.Logf("mean %.3f, rms %.3f", mean, spread)
	if math.Abs(mean) > 0.03 || math.Abs(spread-1/math.Sqrt(3)) > 0.02 {
		t.Errorf("mean %g, rms %g; they should be 0 and 0.577", mean, spread)
	}
	if same := lfoSound(3000, 0, 48, 5, 1, 0, 0, 0, 7); same[500] == got[500] || same[1500] == got[1500] {
		t.Error("another seed gives the same values")
	}
	smooth := lfoSound(n, 0, 48, 6)
	for i := 1; i < n; i++ {
		if d := math.Abs(float64(smooth[i] - smooth[i-1])); d > 2*1.5/1000+1e-6 {
			t.Fatalf("a step of %g at frame %d of smooth", d, i)
		}
	}
	if math.Abs(float64(smooth[5000]-got[5500])) > 1e-3 {
		t.Errorf("smooth is %g where random is %g", smooth[5000], got[5500])
	}
}

// The gate restarts the cycle only if sync is gate.
func TestLFOSync(t *testing.T) {
	for sync, want := range []float32{-1 + 2*0.3, -1} {
		l := measure.New(&LFO, 48, 3, 1, 0, 0, float64(sync))
		measure.Play(&LFO, l, 300)
		l.Gate(true)
		if got := measure.Play(&LFO, l, 1)[0][0]; math.Abs(float64(got-want)) > 1e-6 {
			t.Errorf("sync %d: %g after the gate, want %g", sync, got, want)
		}
	}
}
