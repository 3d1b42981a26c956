package oscillator

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// pluckSound returns a second of a string with an open gate.
func pluckSound(freq, pitch, decay, bright float64) []float32 {
	m := Pluck.New(rate)
	for p, v := range map[int]float64{pluckFreq: freq, pluckDecay: decay, pluckBrightness: bright, pluckGain: 1} {
		m.Set(p, v)
	}
	m.Reset()
	m.Gate(true)
	in, out := make([]float32, rate), make([]float32, rate)
	for i := range in {
		in[i] = float32(pitch)
	}
	m.Render([][]float32{in}, [][]float32{out})
	return out
}

// pluckPartial returns the amplitude and phase at freq of a third of a second from a frame on,
// under a Hann window.
func pluckPartial(x []float32, freq float64, from int) (sum complex128) {
	const n = rate / 3
	for i := range n {
		w := 1 - math.Cos(2*math.Pi*float64(i)/n)
		sum += complex(float64(x[from+i])*w/n, 0) * cmplx.Exp(complex(0, -2*math.Pi*freq/rate*float64(from+i)))
	}
	return sum
}

// The drift of the fundamental's phase within 0.1 s measures the tuning. The string is within 1
// cent up to 2 kHz, for fractional periods, by freq and by pitch.
func TestPluckTuning(t *testing.T) {
	worst := 0.0
	for _, freq := range []float64{41.2, 82.4069, 110, 196.3, 440, 698.456, 1000.7, 1318.51, 1760, 1999} {
		for _, bright := range []float64{0.2, 1} {
			for _, pitch := range []float64{0, -0.5} {
				x := pluckSound(freq*math.Exp2(-pitch), pitch, 20, bright)
				const apart = rate / 10
				a, b := pluckPartial(x, freq, 9600), pluckPartial(x, freq, 9600+apart)
				cents := 1200 * math.Log2(1+cmplx.Phase(b/a)/(2*math.Pi)/freq*rate/apart)
				worst = max(worst, math.Abs(cents))
				if math.Abs(cents) > 1 {
					t.Errorf("%g Hz, brightness %g, pitch %g: %.3f cents off", freq, bright, pitch, cents)
				}
			}
		}
	}
	t.Logf("within %.4f cents", worst)
}

// The decay of the fundamental follows decay, and that of the upper partials follows brightness.
func TestPluckDecay(t *testing.T) {
	for freq, partial := range map[float64]float64{82.4069: 48, 440: 9, 1760: 2} { // partials near 4 kHz
		for _, decay := range []float64{1, 5} {
			falls := func(bright, partial float64) float64 { // dB in a third of a second
				x := pluckSound(freq, 0, decay, bright)
				a, b := pluckPartial(x, partial*freq, 9600), pluckPartial(x, partial*freq, 9600+rate/3)
				return 20 * math.Log10(cmplx.Abs(a)/cmplx.Abs(b))
			}
			dark, bright, high, highDark := falls(0, 1), falls(1, 1), falls(1, partial), falls(0, partial)
			want := 20 / decay
			t.Logf("%g Hz, %g s: in 1/3 s the fundamental falls by %.2f and %.2f dB, want %.2f; "+
				"partial %g by %.2f (dark) and %.2f (bright)",
				freq, decay, dark, bright, want, partial, highDark, high)
			if math.Abs(dark/want-1) > 0.05 || math.Abs(bright/want-1) > 0.05 {
				t.Errorf("%g Hz, %g s: %.2f and %.2f dB, want %.2f", freq, decay, dark, bright, want)
			}
			if math.Abs(high/want-1) > 0.2 || highDark < 1.5*want {
				t.Errorf("%g Hz, %g s: partial %g falls by %.2f and %.2f dB", freq, decay, partial, highDark, high)
			}
		}
	}
}

// Every stroke gives the same bits, also while the string still sounds. A closed gate damps. A
// partial with a node at the plucking point is missing.
func TestPluckStroke(t *testing.T) {
	m := Pluck.New(rate)
	m.Set(pluckPosition, 0.5)
	m.Set(pluckBrightness, 1)
	m.Set(pluckFreq, 480) // a period of whole frames needs no interpolation
	m.Reset()
	m.Gate(true)
	first := rendered(m, rate/2)
	m.Gate(true)
	second := rendered(m, rate/2)
	for i := range first {
		if first[i] != second[i] {
			t.Fatalf("frame %d: the strokes differ, %g and %g", i, first[i], second[i])
		}
	}
	if even, odd := cmplx.Abs(pluckPartial(first, 960, 2400)), cmplx.Abs(pluckPartial(first, 480, 2400)); even > odd/100 {
		t.Errorf("struck in the middle, the second partial is %g, the first %g", even, odd)
	}
	m.Gate(false)
	closed := rendered(m, 2*rate)
	if end := measure.Steepest(closed[2*rate-100:]); end > 1e-5 {
		t.Errorf("two seconds after the gate closed it makes steps of %g", end)
	}
}

// Vibrato and jumps of the pitch do not add energy to the string.
func TestPluckVibrato(t *testing.T) {
	m := Pluck.New(rate)
	m.Set(pluckDecay, 20)
	m.Set(pluckBrightness, 1)
	m.Set(pluckGain, 1)
	m.Reset()
	m.Gate(true)
	in, out := make([]float32, rate), make([]float32, rate)
	for _, hz := range []float64{5, 440, 880} {
		for i := range in {
			in[i] = float32(0.05 * math.Sin(2*math.Pi*hz*float64(i)/rate))
		}
		m.Render([][]float32{in}, [][]float32{out})
		peak := 0.0
		for _, v := range out {
			peak = max(peak, math.Abs(float64(v)))
		}
		t.Logf("vibrato of %g Hz: peak %.3f", hz, peak)
		if peak > 1.5 {
			t.Errorf("vibrato of %g Hz: peak %g", hz, peak)
		}
	}
}
