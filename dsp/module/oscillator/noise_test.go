package oscillator

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// The filters have the right slopes: pink within 0.5 dB from 40 Hz to 18 kHz at every usual rate,
// brown with its leak within 0.3 dB.
func TestNoiseFilters(t *testing.T) {
	for _, fs := range []float64{44100, 48000, 96000, 192000} {
		n := Noise.New(fs).(*noise)
		pink, brown := make([]float32, 1<<15), make([]float32, 1<<15)
		pinkPower, brownPower := 0.0, 0.0
		for i, w := 0, 1.0; i < len(pink); i, w = i+1, 0 {
			pink[i], brown[i] = float32(n.nextPink(w)), float32(n.nextBrown(w))
			pinkPower += float64(pink[i]) * float64(pink[i])
			brownPower += float64(brown[i]) * float64(brown[i])
		}
		off := func(h []float32, f, slope float64) float64 {
			return measure.Response(h, f, fs) - measure.Response(h, 1000, fs) - slope*math.Log2(f/1000)
		}
		worstPink, worstBrown := 0.0, 0.0
		for f := 40.0; f < min(18000, 0.4*fs); f *= 1.23 {
			leak := -10 * math.Log10((1+math.Pow(noiseLeak/f, 2))/(1+math.Pow(noiseLeak/1000, 2)))
			worstPink = max(worstPink, math.Abs(off(pink, f, -10*math.Log10(2))))
			worstBrown = max(worstBrown, math.Abs(off(brown, f, -20*math.Log10(2))-leak))
		}
		t.Logf("%g Hz: pink within %.2f dB of -3 dB/oct, brown %.2f dB of -6; power %.5f and %.5f",
			fs, worstPink, worstBrown, pinkPower, brownPower)
		if worstPink > 0.5 || worstBrown > 0.3 || math.Abs(pinkPower-1) > 0.01 || math.Abs(brownPower-1) > 0.01 {
			t.Errorf("%g Hz: pink off by %.2f dB, brown by %.2f, powers %g, %g", fs, worstPink, worstBrown, pinkPower, brownPower)
		}
	}
}

// noiseBand returns the power between two frequencies in Hz, in dB.
func noiseBand(x []float32, lo, hi float64) float64 {
	sum := 0.0
	for at := 0; at+oscTurn <= len(x); at += oscTurn {
		for i, a := range measure.Spectrum(x[at : at+oscTurn]) {
			if f := float64(i) * rate / oscTurn; f >= lo && f < hi {
				sum += a * a
			}
		}
	}
	return 10 * math.Log10(sum)
}

// The noise has these slopes from octave to octave, the documented level, and a bounded mean.
func TestNoiseSpectrum(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	const n = 64 * oscTurn
	for color, slope := range []float64{3.01, 0, -3.01} { // dB of the power of an octave
		m := Noise.New(rate)
		m.Set(noiseColor, float64(color))
		m.Set(noiseGain, 1)
		m.Reset()
		x := rendered(m, n)
		first := noiseBand(x, 2000, 4000)
		for k, lo := range []float64{500, 1000, 4000, 8000} {
			want := slope * []float64{-2, -1, 1, 2}[k]
			if got := noiseBand(x, lo, 2*lo) - first; math.Abs(got-want) > 0.5 {
				t.Errorf("color %d, from %g Hz: %.2f dB against 2 kHz, want %.2f", color, lo, got, want)
			}
		}
		sum, square, peak := 0.0, 0.0, 0.0
		for _, v := range x {
			sum, square, peak = sum+float64(v), square+float64(v)*float64(v), max(peak, math.Abs(float64(v)))
		}
		rms, mean := math.Sqrt(square/n), sum/n
		t.Logf("color %d: RMS %.4f, mean %.4f, peak %.3f", color, rms, mean, peak)
		if math.Abs(rms-noiseRMS) > 0.015 || math.Abs(mean) > 0.02 || peak > 1.5 {
			t.Errorf("color %d: RMS %g, mean %g, peak %g", color, rms, mean, peak)
		}
	}
}

// Each seed has its own noise, the same every time.
func TestNoiseSeed(t *testing.T) {
	with := func(seed float64) []float32 {
		m := Noise.New(rate)
		m.Set(noiseSeed, seed)
		return rendered(m, 1000)
	}
	a, b, c := with(7), with(7), with(8)
	same := 0
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("frame %d: %g and %g", i, a[i], b[i])
		}
		if a[i] == c[i] {
			same++
		}
	}
	if same > 1 {
		t.Errorf("two seeds agree in %d frames", same)
	}
}
