package oscillator

import (
	"math"

	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// The built-in tables are 4 of 5 waves each, with 10 levels of 2048 points for each wave. All
// oscillators share them. They take 1.6 MB.

const (
	wavetableBits     = 11
	wavetableSize     = 1 << wavetableBits
	wavetableLevels   = 10
	wavetablePartials = 1 << (wavetableLevels - 1) // of the first level; each next level has half as many
)

type (
	wavetableWave  [wavetableLevels][wavetableSize]float32
	wavetableWaves [5]wavetableWave
	wavetables     [4]wavetableWaves
)

var wavetableNames = []string{"basic", "vocal", "organ", "metal"}

// wavetableShared holds the tables, nil until the first call of sharedWavetables.
var wavetableShared = func() chan *wavetables {
	c := make(chan *wavetables, 1)
	c <- nil
	return c
}()

// sharedWavetables returns the tables. The first call computes them.
func sharedWavetables() *wavetables {
	t := <-wavetableShared
	if t == nil {
		t = newWavetables()
	}
	wavetableShared <- t
	return t
}

func newWavetables() *wavetables {
	t := new(wavetables)
	sine := new([wavetableSize]float64)
	for i := range sine {
		sine[i] = approx.Sin(float64(i) / wavetableSize)
	}
	partial := [len(t)]func(wave, k int) float64{wavetableBasic, wavetableVocal, wavetableOrgan, wavetableMetal}
	for i := range t {
		for k := range t[i] {
			t[i][k].add(sine, func(n int) float64 { return partial[i](k, n) })
		}
	}
	return t
}

// add computes a wave from the amplitudes of its partials. All partials are sines, so that the
// second half of a turn mirrors the first, and waves blend without cancelling each other.
func (w *wavetableWave) add(sine *[wavetableSize]float64, partial func(n int) float64) {
	const half = wavetableSize / 2
	var sum [half + 1]float64
	levels := make([][half + 1]float64, wavetableLevels)
	for level, n := wavetableLevels-1, 1; level >= 0; level-- {
		for ; n <= wavetablePartials>>level; n++ {
			a := partial(n)
			if a == 0 {
				continue
			}
			for i := range sum {
				sum[i] += float64(a * sine[n*i&(wavetableSize-1)])
			}
		}
		levels[level] = sum
	}
	peak := 0.0
	for _, v := range sum {
		peak = max(peak, math.Abs(v))
	}
	for level := range levels {
		for i, v := range levels[level] {
			v /= peak
			w[level][i] = float32(v)
			w[level][(wavetableSize-i)&(wavetableSize-1)] = float32(-v)
		}
		w[level][half] = 0
	}
}

func wavetableBasic(wave, n int) float64 {
	odd := float64(n & 1)
	switch k := float64(n); wave {
	case 0: // sine
		return float64(1 / n)
	case 1: // triangle
		if n&2 != 0 {
			odd = -odd
		}
		return odd / float64(k*k)
	case 2: // square
		return odd / k
	case 3: // saw
		return 1 / k
	default: // brighter than a saw
		return 1 / math.Sqrt(k)
	}
}

// wavetableFormants are the formants of a, e, i, o and u in Hz, for a voice of wavetableVoice Hz.
var wavetableFormants = [5][3]float64{
	{730, 1090, 2440}, {530, 1840, 2480}, {270, 2290, 3010}, {570, 840, 2410}, {300, 870, 2240},
}

const wavetableVoice = 110

// wavetableVocal returns a partial of a source that falls by 6 dB an octave, filtered by three
// resonances. Higher resonances are weaker and wider.
func wavetableVocal(wave, n int) float64 {
	sum := 0.02
	for i, f := range wavetableFormants[wave] {
		x := (float64(wavetableVoice*float64(n)) - f) / (80 + float64(30*float64(i)))
		sum += float64(1/(1+float64(x*x))) / float64(1+i)
	}
	if n&2 != 0 { // so that the peaks of the partials do not coincide
		sum = -sum
	}
	return sum / float64(n)
}

// wavetableDrawbars are the levels of the partials in wavetablePipes, from 0 to 8, in steps of 3
// dB.
var (
	wavetableDrawbars = [5][7]int{
		{8, 3, 0, 0, 0, 0, 0}, {8, 6, 4, 2, 0, 0, 0}, {8, 8, 8, 0, 0, 0, 0}, {8, 4, 6, 4, 5, 6, 7}, {8, 8, 8, 8, 8, 8, 8},
	}
	wavetablePipes = [7]int{1, 2, 3, 4, 5, 6, 8}
)

func wavetableOrgan(wave, n int) float64 {
	for i, pipe := range wavetablePipes {
		if level := wavetableDrawbars[wave][i]; pipe == n && level > 0 {
			return approx.Gain(3 * float64(level-8))
		}
	}
	return 0
}

// wavetableBars are the partials of metal: far apart and unevenly spaced, as in bells and bars.
var wavetableBars = [5][8]int{
	{1, 4, 7, 11, 16, 22, 29, 37}, {1, 3, 8, 13, 21, 34, 55, 89}, {2, 5, 9, 14, 20, 27, 35, 44},
	{1, 6, 13, 23, 36, 52, 71, 93}, {5, 11, 17, 23, 31, 43, 59, 73},
}

func wavetableMetal(wave, n int) float64 {
	for i, bar := range wavetableBars[wave] {
		if bar == n {
			return 1 / math.Sqrt(float64(1+i))
		}
	}
	return 0
}
