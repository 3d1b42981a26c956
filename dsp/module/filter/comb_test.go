package filter

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// combPeak returns the frequency near freq at which h has its peak, by golden section.
func combPeak(h []float32, freq float64) float64 {
	lo, hi := freq*0.99, freq*1.01
	const golden = 0.6180339887498949
	a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
	la, lb := measure.Response(h, a, rate), measure.Response(h, b, rate)
	for hi-lo > freq*1e-6 {
		if la > lb {
			hi, b, lb = b, a, la
			a = hi - golden*(hi-lo)
			la = measure.Response(h, a, rate)
		} else {
			lo, a, la = a, b, lb
			b = lo + golden*(hi-lo)
			lb = measure.Response(h, b, rate)
		}
	}
	return (lo + hi) / 2
}

// The comb is in tune within a cent up to 2 kHz. With strong damping the upper peaks are broad and
// lie lower, where the low-pass attenuates less; the test leaves those out.
func TestCombTune(t *testing.T) {
	for _, damping := range []float64{0, 0.3, 0.8} {
		for _, freq := range []float64{55, 110.3, 440, 1046.5, 2000, 4999} {
			h := impulses(&Comb, measure.New(&Comb, freq, 0.999, damping), 1, 1<<15)[0]
			cents := 1200 * math.Log2(combPeak(h, freq)/freq)
			t.Logf("%g Hz, damping %g: %.3f cents off", freq, damping, cents)
			if math.Abs(cents) > 1 && freq <= 2000 && (damping < 0.5 || freq < 1500) {
				t.Errorf("%g Hz, damping %g: %.3f cents off", freq, damping, cents)
			}
		}
	}
}

// The levels of the resonances and of the notches between them follow from the feedback.
func TestCombResponse(t *testing.T) {
	worst := 0.0
	for _, feedback := range []float64{0.5, 0.9, -0.9, 0.97} {
		h := impulses(&Comb, measure.New(&Comb, 480, feedback, 0), 1, 1<<15)[0]
		for n := 1.0; n <= 8; n++ {
			for at, want := range map[float64]float64{n: 1 / (1 - feedback), n - 0.5: 1 / (1 + feedback)} {
				diff := math.Abs(measure.Response(h, 480*at, rate) - 20*math.Log10(want))
				worst = max(worst, diff)
				if diff > 0.05 {
					t.Errorf("feedback %g, harmonic %g: off by %.3f dB", feedback, at, diff)
				}
			}
		}
	}
	t.Logf("largest difference %.4f dB", worst)
}

// Sound falls by 60 dB within 4 s.
func TestCombRings(t *testing.T) {
	for _, freq := range []float64{20, 440, 5000} {
		m := measure.New(&Comb, freq, 0.999, 0)
		out := impulses(&Comb, m, 1, 2*rate)[0]
		early, late := measure.Peak(out[rate/2:rate/2+2400]), measure.Peak(out[3*rate/2:3*rate/2+2400])
		falls := 60 / (20 * math.Log10(early/late))
		t.Logf("%g Hz: falls by 60 dB in %.2f s", freq, falls)
		if falls > 4.2 {
			t.Errorf("%g Hz: falls by 60 dB in %.2f s", freq, falls)
		}
	}
}

// combAtan has the stated error.
func TestCombAtan(t *testing.T) {
	worst := 0.0
	for x := 0.0; x < 100; x += 0.001 {
		worst = max(worst, math.Abs(combAtan(x)-math.Atan(x)))
	}
	t.Logf("largest error %.3g", worst)
	if worst > 2e-5 {
		t.Errorf("error %g", worst)
	}
}
