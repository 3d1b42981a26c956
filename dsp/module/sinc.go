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

// sincPoint is the kernel's value at a point, and what is added to it up to the next.
type sincPoint struct{ value, slope float32 }

// sincTable is the right half of the kernel.
type sincTable [sincReach*sincSteps + 1]sincPoint

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
	last := 0.0
	for i := len(t) - 1; i >= 0; i-- {
		x := float64(i) / sincSteps
		y := 1.0
		if i > 0 {
			y = approx.Sin(x/2) / float64(math.Pi*x)
		}
		part := x / sincReach
		y = float64(y*bessel(float64(sincBeta*math.Sqrt(1-float64(part*part))))) / bessel(sincBeta)
		t[i] = sincPoint{float32(y), float32(last - y)}
		last = y
	}
	t[len(t)-1] = sincPoint{} // the window ends at 1/1000, for nothing to come after
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
	t.half(w[:n], float64(part*step), step, n-1, -1)
	t.half(w[n:2*n], float64((1-part)*step), step, 0, 1)
	return w[:2*n]
}

// half gives the weights to one side: from w[i] on, dir being the way.
func (t *sincTable) half(w []float64, at, step float64, i, dir int) {
	for range w {
		k := min(uint(at), uint(len(t)-1))
		p := t[k]
		w[i] = float64(p.value) + float64(float64(at-float64(k))*float64(p.slope))
		i += dir
		at += step
	}
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
