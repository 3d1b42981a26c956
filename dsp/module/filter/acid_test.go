package filter

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// acidWant returns the level in dB at freq of the analogue diode ladder with a high-pass in its
// loop.
func acidWant(cutoff, resonance, freq float64) float64 {
	s := complex(0, freq/(math.Sqrt2*cutoff))
	p := 8*s*s*s*s + 32*s*s*s + 40*s*s + 16*s + 1
	k := acidLoop * resonance * (1 - ladderLoss(math.Tan(math.Pi*cutoff/(2*rate)), 2*rate))
	pass := complex(0, freq) / complex(acidBass, freq)
	return 20 * math.Log10(cmplx.Abs(complex(1+k/4, 0)/(p+complex(k, 0)*pass)))
}

// A faint signal, which does not saturate, is filtered as by the analogue diode ladder: within 0.5
// dB below 8 kHz, for levels above -50 dB.
func TestAcidResponse(t *testing.T) {
	worst, count := 0.0, 0
	for _, cutoff := range []float64{50, 200, 1000, 4000, 8000} {
		for _, resonance := range []float64{0, 0.5, 0.9} {
			h := impulses(&Acid, measure.New(&Acid, cutoff, resonance), 1e-3, 1<<15)[0]
			for f := 20.0; f <= 8000; f *= 1.4 {
				want := acidWant(cutoff, resonance, f)
				if want < -50 {
					continue
				}
				diff := math.Abs(measure.Response(h, f, rate) + 60 - want)
				worst, count = max(worst, diff), count+1
				if diff > 0.5 {
					t.Errorf("cutoff %g, resonance %g at %g Hz: off by %.3f dB", cutoff, resonance, f, diff)
				}
			}
		}
	}
	t.Logf("largest difference from the analogue ladder %.3f dB at %d points", worst, count)
}

// The gate opens the filter by envmod octaves within 3 ms. After decay seconds the envelope has
// fallen to 1/148.
func TestAcidEnvelope(t *testing.T) {
	a := measure.New(&Acid, 300, 0.5, 4, 0.5, 0, 0).(*acid)
	at := func(frames int) float64 {
		filtered(&Acid, a, make([]float32, frames))
		return a.env
	}
	if e := at(100); e != 0 {
		t.Errorf("before the gate the envelope is at %g", e)
	}
	a.Gate(true)
	top, decayed := at(144), at(24000)
	t.Logf("top %g, after its decay %.5f", top, decayed)
	if top != 1 || math.Abs(decayed-math.Exp(-5)) > 1e-6 {
		t.Errorf("top %g, after its decay %g", top, decayed)
	}
	a.Gate(true)
	if first := at(1); first <= decayed || first > decayed+0.01 {
		t.Errorf("the second gate begins at %g, the envelope was at %g", first, decayed)
	}
	a.Set(acidAccent, 1)
	a.Gate(true)
	at(144)
	if e := at(9600); math.Abs(e-math.Exp(-5)) > 1e-6 || math.Abs(a.lift-e) > 1e-9 {
		t.Errorf("an accent's envelopes after 0.2 s: %g, %g", e, a.lift)
	}
}

// A gate is audible and does not click: no step exceeds those of a permanently open filter by more
// than the 6 dB of an accent.
func TestAcidGate(t *testing.T) {
	in := measure.Tone(440, rate)
	open := measure.Steepest(filtered(&Acid, measure.New(&Acid, 8000, 0, 0, 1, 1, 0), in)[0])
	a := measure.New(&Acid, 100, 0, 6, 1, 1, 0)
	quiet := filtered(&Acid, a, in[:rate/2])[0]
	a.Gate(true)
	loud := filtered(&Acid, a, in[rate/2:])[0]
	step := max(measure.Steepest(append(quiet[rate/2-1:rate/2:rate/2], loud[0])), measure.Steepest(loud))
	before, after := measure.Peak(quiet[rate/4:]), measure.Peak(loud)
	t.Logf("peak %.3f before and %.3f after the gate; steps of %.3f, of the open filter %.3f", before, after, step, open)
	if step > 2.2*open || after < 10*before {
		t.Errorf("steps of %g, of the open filter %g", step, open)
	}
}

// The output stays bounded for every input.
func TestAcidBounded(t *testing.T) {
	in := measure.Noise(3, rate)
	for i := range in {
		in[i] *= 1e6
	}
	a := measure.New(&Acid, 1000, 1, 6, 1, 1, 36)
	a.Gate(true)
	if got := measure.Peak(filtered(&Acid, a, in)[0]); got > 5 || got < 0.1 {
		t.Errorf("peak %g", got)
	}
}
