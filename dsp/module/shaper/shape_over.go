package shaper

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// shapeOver converts a signal to 8 times its rate and back, by three half-band filters each way.
type shapeOver struct {
	ups   [3]shapeLine
	downs [3][2]shapeLine // of the first and the second values of each pair
}

// shapeTaps has the taps of the FIR half-band filters: a sinc under a Kaiser window for 80 dB.
// Every second tap is 0, but for the middle one, which is a half. The other taps are symmetric;
// shapeTaps has the first half of these. At 48 kHz the transition of the first filter is from 20
// to 28 kHz. The transitions of the others may be wider.
var shapeTaps = [3][]float64{newShapeTaps(16), newShapeTaps(4), newShapeTaps(4)}

func newShapeTaps(n int) []float64 {
	const beta = 7.857
	taps := make([]float64, n)
	sum := 0.0
	for i := range taps {
		x := float64(2*(n-i) - 1) // distance from the middle
		sign := 1.0
		if (n-i)%2 == 0 {
			sign = -1
		}
		r := x / float64(2*n)
		taps[i] = sign / float64(math.Pi*x) * shapeBessel(beta*math.Sqrt(1-float64(r*r))) / shapeBessel(beta)
		sum += taps[i]
	}
	for i := range taps {
		taps[i] *= 0.25 / sum
	}
	return taps
}

// shapeBessel returns the modified Bessel function of order 0, by its series.
func shapeBessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; k < 40; k++ {
		term *= float64(x*x) / (4 * k * k)
		sum += term
	}
	return sum
}

// shapeLine has the last values of a signal, the oldest first: as many as the filter is long, and
// those of one frame.
type shapeLine []float64

// shift drops the n oldest values and returns the space for n new ones.
func (l shapeLine) shift(n int) []float64 {
	copy(l, l[n:])
	return l[len(l)-n:]
}

func newShapeOver() (o shapeOver) {
	for i, taps := range shapeTaps {
		n := 2*len(taps) - 1 + 1<<i
		o.ups[i], o.downs[i][0], o.downs[i][1] = make(shapeLine, n), make(shapeLine, n), make(shapeLine, n)
	}
	return o
}

// shapeSum filters the window w without the middle tap. Arrays of constant length avoid bounds
// checks.
func shapeSum(taps, w []float64) float64 {
	if len(taps) == 4 {
		t, w := (*[4]float64)(taps), (*[8]float64)(w)
		return float64(t[0]*(w[0]+w[7])) + float64(t[1]*(w[1]+w[6])) +
			(float64(t[2]*(w[2]+w[5])) + float64(t[3]*(w[3]+w[4])))
	}
	t, v := (*[16]float64)(taps), (*[32]float64)(w)
	a, b := 0.0, 0.0
	for i := 0; i < 16; i += 2 { // two independent sums, which the processor computes in parallel
		a += float64(t[i] * (v[i] + v[31-i]))
		b += float64(t[i+1] * (v[i+1] + v[30-i]))
	}
	return a + b
}

// double puts twice as many values as in has into out.
func (o *shapeOver) double(stage int, in, out []float64) {
	taps, line := shapeTaps[stage], o.ups[stage]
	copy(line.shift(len(in)), in)
	n := 2 * len(taps)
	for i := range in {
		w := line[i : i+n]
		out[2*i], out[2*i+1] = float64(2*shapeSum(taps, w)), w[n/2]
	}
}

// halve puts half as many values as in has into out.
func (o *shapeOver) halve(stage int, in, out []float64) {
	taps, lines := shapeTaps[stage], &o.downs[stage]
	first, second := lines[0].shift(len(out)), lines[1].shift(len(out))
	for i := range out {
		first[i], second[i] = in[2*i], in[2*i+1]
	}
	n := 2 * len(taps)
	for i := range out {
		out[i] = shapeSum(taps, lines[0][i:i+n]) + float64(0.5*lines[1][i+n/2-1])
	}
}

func (o *shapeOver) up(x float64, out *[shapeTimes]float64) {
	in, two, four := [1]float64{x}, [2]float64{}, [4]float64{}
	o.double(0, in[:], two[:])
	o.double(1, two[:], four[:])
	o.double(2, four[:], out[:])
}

func (o *shapeOver) down(in *[shapeTimes]float64) float64 {
	out, two, four := [1]float64{}, [2]float64{}, [4]float64{}
	o.halve(2, in[:], four[:])
	o.halve(1, four[:], two[:])
	o.halve(0, two[:], out[:])
	return out[0]
}

// each calls f with the line of every filter.
func (o *shapeOver) each(f func(l shapeLine)) {
	for i := range o.ups {
		f(o.ups[i])
		f(o.downs[i][0])
		f(o.downs[i][1])
	}
}

func (o *shapeOver) reset() { o.each(func(l shapeLine) { clear(l) }) }

func (o *shapeOver) save(e *dsp.Encoder) {
	o.each(func(l shapeLine) {
		for _, v := range l {
			e.Float64(v)
		}
	})
}

func (o *shapeOver) restore(d *dsp.Decoder) {
	o.each(func(l shapeLine) {
		for i := range l {
			l[i] = d.Float64()
		}
	})
}
