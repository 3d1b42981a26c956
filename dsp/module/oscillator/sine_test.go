package oscillator

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
)

func TestSineTHD(t *testing.T) {
	for _, f := range []float64{20, 997, 5000, 19997} {
		s := Sine.New(rate)
		s.Set(oscFreq, f)
		s.Set(oscGain, 1)
		s.Reset()
		got := measure.THDN(rendered(s, rate), f, rate)
		t.Logf("sine at %g Hz: THD+N %.1f dB", f, got)
		if got > -140 {
			t.Errorf("%g Hz: %.1f dB, it must be -140 or less", f, got)
		}
	}
}

// After a minute the phase is exact: the frequency error is below 1e-5 Hz.
func TestSineFrequency(t *testing.T) {
	const freq, seconds = 440.1234567, 60
	s := Sine.New(rate).(*sine)
	s.Set(oscFreq, freq)
	s.Reset()
	for range seconds {
		rendered(s, rate)
	}
	turns := math.Mod(freq*seconds, 1)
	got := float64(s.phase) / (1 << 63) / 2
	err := math.Abs(math.Remainder(got-turns, 1)) / seconds
	t.Logf("frequency error %.2g Hz", err)
	if err > 1e-5 {
		t.Errorf("%g Hz", err)
	}
}

// A change of frequency or gain makes no step larger than those of the wave and of the ramp.
func TestSineNoClick(t *testing.T) {
	s := Sine.New(rate)
	s.Set(oscGain, 1)
	s.Reset()
	out := rendered(s, 1000)
	s.Set(oscFreq, 880)
	out = append(out, rendered(s, 1000)...)
	s.Set(oscGain, 0)
	out = append(out, rendered(s, 1000)...)
	most := 2*math.Pi*880/rate + 1.0/float64(dsp.RampFrames(rate))
	for i := 1; i < len(out); i++ {
		if d := math.Abs(float64(out[i] - out[i-1])); d > most {
			t.Fatalf("frame %d: a step of %g, the wave itself makes %g", i, d, most)
		}
	}
	if out[len(out)-1] != 0 {
		t.Errorf("gain 0 gives %g", out[len(out)-1])
	}
}
