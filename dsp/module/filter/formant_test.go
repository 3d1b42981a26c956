package filter

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// formantWant returns the level in dB at freq of the analytic sum of five band-passes.
func formantWant(voice, vowel int, q, freq float64) float64 {
	sum := complex(0, 0)
	for _, p := range formantTable[voice][vowel] {
		s := complex(0, math.Tan(math.Pi*freq/rate)/math.Tan(math.Pi*p.freq/rate))
		k := complex(p.width/p.freq/q, 0)
		sum += complex(p.gain, 0) * k * s / (s*s + k*s + 1)
	}
	return 20 * math.Log10(cmplx.Abs(sum))
}

// Every vowel of every voice has the response of the table within 0.05 dB, for levels above -70 dB.
// The first formant is at its frequency, and at 0 dB within 1 dB.
func TestFormantResponse(t *testing.T) {
	worst, count, off := 0.0, 0, 0.0
	for voice, name := range Formant.Params[formantVoice].Names {
		for vowel := range 5 {
			for _, q := range []float64{0.5, 1, 4} {
				h := impulses(&Formant, measure.New(&Formant, float64(vowel), float64(voice), q), 1, 1<<15)[0]
				for f := 50.0; f <= 15000; f *= 1.5 {
					want := formantWant(voice, vowel, q, f)
					if want < -70 {
						continue
					}
					diff := math.Abs(measure.Response(h, f, rate) - want)
					worst, count = max(worst, diff), count+1
					if diff > 0.05 {
						t.Errorf("%s, vowel %d, q %g at %g Hz: off by %.3f dB", name, vowel, q, f, diff)
					}
				}
				if q != 1 {
					continue
				}
				p := formantTable[voice][vowel][0]
				at := measure.Response(h, p.freq, rate)
				off = max(off, math.Abs(at))
				below, above := measure.Response(h, p.freq-p.width, rate), measure.Response(h, p.freq+p.width, rate)
				if math.Abs(at) > 1 || below > at-3 || above > at-3 {
					t.Errorf("%s, vowel %d: no peak at %g Hz: %.2f dB", name, vowel, p.freq, at)
				}
			}
		}
	}
	t.Logf("largest difference from the table %.4f dB at %d points; first formants within %.2f dB of 0", worst, count, off)
}

// Half way between two vowels the formants are half way too, by the parameter and by the input. The
// input is limited to the last vowel.
func TestFormantBetween(t *testing.T) {
	const n = 1 << 12
	in, half, far := make([]float32, n), make([]float32, n), make([]float32, n)
	in[1] = 1
	for i := range in {
		half[i], far[i] = 0.5, 1e6
	}
	set := measure.New(&Formant, 1.5, 2).(*formant)
	moved := filtered(&Formant, measure.New(&Formant, 1, 2), in, half)[0]
	last := filtered(&Formant, measure.New(&Formant, 1, 2), in, far)[0]
	u := filtered(&Formant, measure.New(&Formant, 4, 2), in)[0]
	freq := (formantTable[2][1][1].freq + formantTable[2][2][1].freq) / 2
	if g := math.Tan(math.Pi * freq / rate); math.Abs(set.bands[1].g-g) > 1e-9 {
		t.Errorf("the second formant has g %g, it should be %g", set.bands[1].g, g)
	}
	between := filtered(&Formant, set, in)[0]
	for i := range in {
		if between[i] != moved[i] || last[i] != u[i] {
			t.Fatalf("frame %d: %g by parameter, %g by input; %g beyond the end, %g at it",
				i, between[i], moved[i], last[i], u[i])
		}
	}
}
