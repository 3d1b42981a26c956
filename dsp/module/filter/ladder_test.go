package filter

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// ladderWant returns the level in dB at freq of the analogue ladder.
func ladderWant(mode int, cutoff, resonance, freq float64) float64 {
	s := complex(0, freq/cutoff)
	loss := ladderLoss(math.Tan(math.Pi*cutoff/(2*rate)), 2*rate)
	k := complex(4*resonance*(1-loss), 0)
	top := [...]complex128{1, (s + 1) * (s + 1), 4 * s * s, s * s * s * s}[mode]
	return 20 * math.Log10(cmplx.Abs(top/((s+1)*(s+1)*(s+1)*(s+1)+k)))
}

// A faint signal, which does not saturate, is filtered as by the analogue ladder of four poles:
// within 0.5 dB below 8 kHz, for levels above -50 dB. The high-pass at 8 kHz is within 0.8 dB,
// since frequency warping at twice the rate bends its slope of 24 dB an octave.
func TestLadderResponse(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	worst, count := 0.0, 0
	for mode, name := range Ladder.Params[ladderMode].Names {
		for _, cutoff := range []float64{50, 200, 1000, 4000, 8000} {
			for _, resonance := range []float64{0, 0.5, 0.9} {
				h := impulses(&Ladder, measure.New(&Ladder, float64(mode), cutoff, resonance, 0), 1e-3, 1<<15)[0]
				for f := 20.0; f <= 8000; f *= 1.4 {
					want := ladderWant(mode, cutoff, resonance, f)
					if want < -50 {
						continue
					}
					diff := math.Abs(measure.Response(h, f, rate) + 60 - want)
					worst, count = max(worst, diff), count+1
					if diff > 0.5 && (mode != 3 || cutoff < 8000 || diff > 0.8) {
						t.Errorf("%s, cutoff %g, resonance %g at %g Hz: off by %.3f dB", name, cutoff, resonance, f, diff)
					}
				}
			}
		}
	}
	t.Logf("largest difference from the analogue ladder %.3f dB at %d points", worst, count)
}

// rings measures the decay after an impulse: its frequency in Hz by zero crossings within a second,
// and the time in s in which it falls by 60 dB.
func rings(out []float32) (freq, falls float64) {
	first, last, turns := 0.0, 0.0, -1
	for i := rate / 10; i < rate; i++ {
		if a, b := float64(out[i-1]), float64(out[i]); a < 0 && b >= 0 {
			last = float64(i) - b/(b-a)
			if turns++; turns == 0 {
				first = last
			}
		}
	}
	early, late := measure.Peak(out[rate/10:rate/5]), measure.Peak(out[rate:rate+rate/10])
	return float64(turns) / (last - first) * rate, 0.9 * 60 / (20 * math.Log10(early/late))
}

// At resonance 1 the ladder rings at its cutoff, for seconds.
func TestLadderRings(t *testing.T) {
	for _, cutoff := range []float64{100, 440, 2000, 10000, 20000} {
		freq, falls := rings(impulses(&Ladder, measure.New(&Ladder, 0, cutoff, 1), 0.1, 2*rate)[0])
		cents := 1200 * math.Log2(freq/cutoff)
		t.Logf("cutoff %g Hz: rings at %.3f Hz, %.2f cents off, and falls by 60 dB in %.2f s", cutoff, freq, cents, falls)
		if math.Abs(cents) > 10 || falls < 2.7 || falls > 4.5 {
			t.Errorf("cutoff %g Hz: %.2f cents off, 60 dB in %.2f s", cutoff, cents, falls)
		}
	}
}

// Drive raises the level of a sine up to a bound, and the level of its harmonics.
func TestLadderDrive(t *testing.T) {
	last, lastThird := 0.0, math.Inf(-1)
	for _, drive := range []float64{0, 12, 24, 36} {
		out := filtered(&Ladder, measure.New(&Ladder, 0, 10000, 0, drive), measure.Tone(400, rate))[0][rate/2:]
		peak, third := measure.Peak(out), measure.Response(out, 1200, rate)-measure.Response(out, 400, rate)
		t.Logf("drive %g dB: peak %.3f, third harmonic %.1f dB", drive, peak, third)
		if peak <= last || peak > 2.5 || third <= lastThird {
			t.Errorf("drive %g dB: peak %g after %g, third harmonic %g dB after %g", drive, peak, last, third, lastThird)
		}
		last, lastThird = peak, third
	}
}

// The output stays bounded for every input.
func TestLadderBounded(t *testing.T) {
	in := measure.Noise(3, rate)
	for i := range in {
		in[i] *= 1e6
	}
	for mode, most := range []float64{2.5, 2.5, 32, 32} {
		got := measure.Peak(filtered(&Ladder, measure.New(&Ladder, float64(mode), 5000, 1, 36), in)[0])
		if got > most || got < 0.1 {
			t.Errorf("mode %d: %g", mode, got)
		}
	}
}
