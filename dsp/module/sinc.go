package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Sound between the frames of a recording is a sum of the frames around, each with its weight: that of a sinc under a window of J. F. Kaiser
// ("Nonrecursive digital filter design using the I0-sinh window function", 1974). Its beta takes 90 dB off what is not to be heard; with so many zero
// crossings it is flat to 0.41 of the rate. Where a recording is played faster the sinc is stretched, so that what would be above half the rate
// is not there to fold back.
const (
	sincReach   = 16  // zero crossings to each side
	sincSteps   = 500 // points from one to the next. Not a power of two: points a frame apart would crowd in one place of the processor's cache
	sincBeta    = 9
	sincWidest  = 8 // times that it is stretched at the most, so that no voice takes too long
	sincWeights = 2 * sincReach * sincWidest
)

// sincTable is the right half of the kernel, and two points more, which are 0.
type sincTable [sincReach*sincSteps + 2]float32

// sincShared holds the table, nil until the first that wants it has built it.
var sincShared = func() chan *sincTable {
	c := make(chan *sincTable, 1)
	c <- nil
	return c
}()

// sharedSinc builds the table if nobody has.
func sharedSinc() *sincTable {
	t := <-sincShared
	if t == nil {
		t = newSinc()
	}
	sincShared <- t
	return t
}

func newSinc() *sincTable {
	t := new(sincTable)
	for i := range t[:len(t)-2] {
		x := float64(i) / sincSteps
		y := 1.0
		if i > 0 {
			y = approx.Sin(x/2) / float64(math.Pi*x)
		}
		part := x / sincReach
		y = float64(y*bessel(float64(sincBeta*math.Sqrt(1-float64(part*part))))) / bessel(sincBeta)
		t[i] = float32(y)
	}
	return t
}

// bessel is the modified Bessel function of order 0 for x in [0, 20]: its series, to below 1e-16 of it.
func bessel(x float64) float64 {
	q := float64(x*x) / 4
	sum, term := 1.0, 1.0
	for n := 1.0; n < 60; n++ {
		term = float64(term*q) / float64(n*n)
		sum += term
	}
	return sum
}

// weigh gives the weights of the frames around a point, as many before it as after; part in [0, 1) is how far it is from the last of those before to
// the first of those after. narrow is 1, or 1 over how much the sinc is stretched.
func (t *sincTable) weigh(w *[sincWeights]float64, part, narrow float64) []float64 {
	n := sincReach
	if narrow < 1 {
		n = min(len(w)/2, int(math.Ceil(sincReach/narrow)))
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

// value is the kernel at a point of the table, or between two.
func (t *sincTable) value(at float64) float64 {
	k := int(at)
	if uint(k) > uint(len(t)-2) {
		return 0
	}
	p := float64(t[k])
	return p + float64((at-float64(k))*(float64(t[k+1])-p))
}

// weighed is the sum of frames, each with its weight.
func weighed(w []float64, x []float32) float64 {
	x = x[:len(w)]
	a, b := 0.0, 0.0
	for i := 0; i+1 < len(w); i += 2 {
		a += float64(w[i] * float64(x[i]))
		b += float64(w[i+1] * float64(x[i+1]))
	}
	return a + b
}
