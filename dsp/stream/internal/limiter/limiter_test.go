package limiter_test

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/stream/internal/limiter"
)

// process limits one frame of the same value on both channels.
func process(l *limiter.Limiter, x float32) float32 {
	left, right := [1]float32{x}, [1]float32{x}
	l.Process(left[:], right[:])
	return left[0]
}

// Sound at or below full scale without an offset passes bit for bit.
func TestPassesSoundWithinFullScale(t *testing.T) {
	l := limiter.New(48000)
	for i := range 480000 {
		x := float32(math.Sin(float64(i) * 2 * math.Pi * 30 / 48000))
		if i%9 == 0 {
			x = float32(i%3) - 1 // full scale, positive and negative
		}
		if y := process(&l, x); y != x {
			t.Fatalf("frame %d: %g became %g", i, x, y)
		}
	}
	l.CountBlock()
	if limited, offset := l.Blocks(); limited+offset != 0 {
		t.Errorf("%d blocks limited, %d with an offset", limited, offset)
	}
}

// Any input leaves at full scale or below. Afterwards sound passes bit for bit again.
func TestLimits(t *testing.T) {
	for _, loud := range []float64{1.5, 40, 1e6, -1e6, math.MaxFloat32} {
		l := limiter.New(48000)
		for i := range 4800 {
			x := loud
			if i%2 == 1 {
				x = -loud
			}
			if y := process(&l, float32(x)); y > 1 || y < -1 {
				t.Fatalf("%g came out as %g", x, y)
			}
		}
		var y float32
		for i := range 10 * 48000 {
			x := float32(0.5)
			if i%2 == 1 {
				x = -0.5
			}
			y = process(&l, x)
		}
		if y != -0.5 {
			t.Errorf("ten seconds after %g, -0.5 comes out as %g", loud, y)
		}
	}
}

// A steady offset is removed within seconds, in steps of at most 1 in 1,000.
func TestRemovesOffset(t *testing.T) {
	l := limiter.New(48000)
	before, most := float32(0.8), 0.0
	for range 5 * 48000 {
		y := process(&l, 0.8)
		most = max(most, math.Abs(float64(y-before)))
		before = y
	}
	if math.Abs(float64(before)) > 0.05 || most > 1e-3 {
		t.Errorf("an offset of 0.8 is %g after five seconds; the largest step was %g", before, most)
	}
	l.CountBlock()
	if _, offset := l.Blocks(); offset != 1 {
		t.Errorf("%d blocks with an offset, want 1", offset)
	}
}
