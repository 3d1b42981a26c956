package oscillator

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// supersawSound renders n frames in stereo.
func supersawSound(detune, mix, spread float64, n int) (left, right []float32) {
	m := Supersaw.New(rate)
	m.Set(oscFreq, 220)
	m.Set(oscGain, 1)
	m.Set(supersawDetune, detune)
	m.Set(supersawMix, mix)
	m.Set(supersawSpread, spread)
	m.Reset()
	none := make([]float32, n)
	left, right = make([]float32, n), make([]float32, n)
	m.Render([][]float32{none, none}, [][]float32{left, right})
	return left, right
}

func supersawLevel(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return 10 * math.Log10(sum/float64(len(x))*3) // against a saw, which has a mean square of 1/3
}

// For all values of mix, detune and spread each channel is as loud as one saw within 1.5 dB, the
// channels differ by at most 1 dB, and peaks are at most 2.6. The sound lasts 8 s, so that the
// closest pair of saws passes all phases.
func TestSupersawLevel(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	for _, detune := range []float64{0.3, 0.6, 1} {
		for _, mix := range []float64{0, 0.5, 1} {
			for _, spread := range []float64{0, 1} {
				l, r := supersawSound(detune, mix, spread, 8*rate)
				left, right, peak := supersawLevel(l), supersawLevel(r), 0.0
				for i := range l {
					peak = max(peak, math.Abs(float64(l[i])), math.Abs(float64(r[i])))
				}
				t.Logf("detune %g, mix %g, spread %g: %.2f and %.2f dB, peak %.2f", detune, mix, spread, left, right, peak)
				if math.Abs(left) > 1.5 || math.Abs(right) > 1.5 || math.Abs(left-right) > 1 || peak > 2.6 {
					t.Errorf("detune %g, mix %g, spread %g: %.2f and %.2f dB, peak %.2f", detune, mix, spread, left, right, peak)
				}
			}
		}
	}
}

// Two oscillators give the same bits. Without spread the channels are equal, with spread they
// differ. The saws do not start in phase.
func TestSupersawFixed(t *testing.T) {
	a, b := supersawSound(0.5, 0.7, 0, 4096)
	c, d := supersawSound(0.5, 0.7, 0.8, 4096)
	e, f := supersawSound(0.5, 0.7, 0.8, 4096)
	differ := 0
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-6 || c[i] != e[i] || d[i] != f[i] {
			t.Fatalf("frame %d: %g %g, %g %g, %g %g", i, a[i], b[i], c[i], e[i], d[i], f[i])
		}
		if math.Abs(float64(c[i]-d[i])) > 0.01 {
			differ++
		}
	}
	if differ < 3000 {
		t.Errorf("spread channels differ in %d of %d frames", differ, len(a))
	}
	if most := measure.Steepest(a[:rate/220]); most > 0.9 {
		t.Errorf("a step of %g: edges coincide", most)
	}
}

// The curve is Szabo's: about a tenth at half, and monotonic but for the deviations of the
// polynomial.
func TestSupersawCurve(t *testing.T) {
	last := 0.0
	for x := 0.0; x <= 1; x += 1.0 / 64 {
		y := supersawCurve(x)
		if y < last-0.001 {
			t.Errorf("the curve falls at %g", x)
		}
		last = y
	}
	low, high := 1200*math.Log2(1+supersawCurve(1)*supersawOffsets[0]), 1200*math.Log2(1+supersawCurve(1)*supersawOffsets[6])
	t.Logf("detune 0.5: %.4f, 1: %.4f, from %.1f to %.1f cents", supersawCurve(0.5), last, low, high)
	if math.Abs(supersawCurve(0.5)-0.1) > 0.03 || math.Abs(last-1) > 0.02 {
		t.Errorf("%g and %g", supersawCurve(0.5), last)
	}
}
