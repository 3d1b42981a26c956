package wave

import (
	"math"

	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// A value between the frames of a recording is the weighted sum of the frames around it. The
// weights are those of a sinc under a window of J. F. Kaiser ("Nonrecursive digital filter design
// using the I0-sinh window function", 1974). With a beta of 9 the stopband is 90 dB down, and with
// 16 zero crossings the passband is flat up to 0.41 of the rate. For a faster playback the sinc is
// stretched, so that frequencies above half the rate are removed before they alias.
const (
	// SincReach is the number of the sinc's zero crossings on each side.
	SincReach = 16
	// SincWidest is the greatest factor by which the sinc is stretched. It bounds the time of a
	// voice.
	SincWidest = 8
	// SincWeights is the greatest number of weights.
	SincWeights = 2 * SincReach * SincWidest

	// sincSteps is the number of points between zero crossings. It is not a power of two: points
	// that are a frame apart would fall into the same set of the processor's cache.
	sincSteps = 500
	sincBeta  = 9
)

// Sinc is a table of the right half of the kernel, with two points more, which are 0.
type Sinc [SincReach*sincSteps + 2]float32

// shared holds the table, nil until the first caller of SharedSinc.
var shared = func() chan *Sinc {
	c := make(chan *Sinc, 1)
	c <- nil
	return c
}()

// SharedSinc returns the table that all players read. The first call computes it.
func SharedSinc() *Sinc {
	t := <-shared
	if t == nil {
		t = newSinc()
	}
	shared <- t
	return t
}

func newSinc() *Sinc {
	t := new(Sinc)
	for i := range t[:len(t)-2] {
		x := float64(i) / sincSteps
		y := 1.0
		if i > 0 {
			y = approx.Sin(x/2) / float64(math.Pi*x)
		}
		part := x / SincReach
		y = float64(y*bessel(float64(sincBeta*math.Sqrt(1-float64(part*part))))) / bessel(sincBeta)
		t[i] = float32(y)
	}
	return t
}

// bessel returns the modified Bessel function of order 0 for x in [0, 20]. It sums the series until
// the relative error is below 1e-16.
func bessel(x float64) float64 {
	q := float64(x*x) / 4
	sum, term := 1.0, 1.0
	for n := 1.0; n < 60; n++ {
		term = float64(term*q) / float64(n*n)
		sum += term
	}
	return sum
}

// Weights puts the weights of the frames around a point into w and returns them, as many before the
// point as after it. The distance of the point from the frame before it is part, in [0, 1). The
// bandwidth is narrow: 1, or the inverse of the factor by which the sinc is stretched.
func (t *Sinc) Weights(w *[SincWeights]float64, part, narrow float64) []float64 {
	n := SincReach
	if narrow < 1 {
		n = min(len(w)/2, int(math.Ceil(SincReach/narrow)))
	}
	step := float64(narrow * sincSteps)
	before, after := w[:n], w[n:2*n]
	at := float64(part * step)
	for i := n - 1; i >= 0; i-- {
		before[i] = t.value(at)
		at += step
	}
	at = float64((1 - part) * step)
	for i := range after {
		after[i] = t.value(at)
		at += step
	}
	return w[:2*n]
}

// value interpolates the table at a point, which may lie between two entries.
func (t *Sinc) value(at float64) float64 {
	k := int(at)
	if uint(k) > uint(len(t)-2) {
		return 0
	}
	p := float64(t[k])
	return p + float64((at-float64(k))*(float64(t[k+1])-p))
}

// WeightedSum returns the sum of as many frames as there are weights, which is an even number.
func WeightedSum(w []float64, frames []float32) float64 {
	frames = frames[:len(w)]
	a, b := 0.0, 0.0
	for i := 0; i+1 < len(w); i += 2 {
		a += float64(w[i] * float64(frames[i]))
		b += float64(w[i+1] * float64(frames[i+1]))
	}
	return a + b
}
