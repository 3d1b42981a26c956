package effect

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// eqResponse returns the cookbook's response in dB at f of band 0 to 2, for a frequency in Hz, a
// gain in dB and a Q.
func eqResponse(band int, freq, gain, q, f float64) float64 {
	a, w := math.Pow(10, gain/40), 2*math.Pi*freq/rate
	c, alpha := math.Cos(w), math.Sin(w)/(2*q)
	root := 2 * math.Sqrt(a) * alpha
	var n, d [3]float64
	switch band {
	case 0:
		n = [3]float64{a * (a + 1 - (a-1)*c + root), 2 * a * (a - 1 - (a+1)*c), a * (a + 1 - (a-1)*c - root)}
		d = [3]float64{a + 1 + (a-1)*c + root, -2 * (a - 1 + (a+1)*c), a + 1 + (a-1)*c - root}
	case 1:
		n = [3]float64{1 + alpha*a, -2 * c, 1 - alpha*a}
		d = [3]float64{1 + alpha/a, -2 * c, 1 - alpha/a}
	case 2:
		n = [3]float64{a * (a + 1 + (a-1)*c + root), -2 * a * (a - 1 + (a+1)*c), a * (a + 1 + (a-1)*c - root)}
		d = [3]float64{a + 1 - (a-1)*c + root, 2 * (a - 1 - (a+1)*c), a + 1 - (a-1)*c - root}
	}
	z := cmplx.Exp(complex(0, -2*math.Pi*f/rate))
	at := func(p [3]float64) complex128 {
		return complex(p[0], 0) + complex(p[1], 0)*z + complex(p[2], 0)*z*z
	}
	return 20 * math.Log10(cmplx.Abs(at(n)/at(d)))
}

// The measured response is that of the cookbook, within 0.05 dB.
func TestEQResponse(t *testing.T) {
	worst := 0.0
	for _, tt := range []struct{ low, lowGain, mid, midGain, q, high, highGain float64 }{
		{100, 12, 1000, 0, 1, 5000, 0}, {2000, -24, 1000, 0, 1, 5000, 0}, {20, 24, 1000, 0, 1, 5000, 0},
		{100, 0, 1000, 18, 10, 5000, 0}, {100, 0, 60, -18, 0.3, 5000, 0}, {100, 0, 21000, 24, 2, 5000, 0},
		{100, 0, 1000, 0, 1, 5000, 12}, {100, 0, 1000, 0, 1, 21600, -24}, {100, 0, 1000, 0, 1, 200, 24},
		{150, 6, 1200, -9, 2, 8000, 4},
	} {
		m := measure.With(&EQ, measure.Values{
			"lowfreq": tt.low, "lowgain": tt.lowGain, "midfreq": tt.mid, "midgain": tt.midGain, "midq": tt.q,
			"highfreq": tt.high, "highgain": tt.highGain,
		})
		h := measure.Effect(m, measure.Impulse(1, 1<<16), measure.Impulse(1, 1<<16))
		for f := 20.0; f <= 20000; f *= 1.7 {
			want := eqResponse(0, tt.low, tt.lowGain, math.Sqrt2/2, f) + eqResponse(1, tt.mid, tt.midGain, tt.q, f) +
				eqResponse(2, tt.high, tt.highGain, math.Sqrt2/2, f)
			for k := range h {
				diff := math.Abs(20*math.Log10(measure.Magnitude(h[k], f)) - want)
				worst = max(worst, diff)
				if diff > 0.05 {
					t.Errorf("%+v at %g Hz: off by %.3f dB", tt, f, diff)
				}
			}
		}
	}
	t.Logf("largest difference from the cookbook %.4f dB", worst)
}

// With all gains at 0 dB every bit passes.
func TestEQFlat(t *testing.T) {
	x := measure.Noise(1, 10000)
	out := measure.Effect(EQ.New(rate), x, x)
	for i := range x {
		if out[0][i] != x[i] || out[1][i] != x[i] {
			t.Fatalf("frame %d: %g, it should be %g", i, out[0][i], x[i])
		}
	}
}
