package shaper

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// shapeAlias returns the level of the strongest bin under 20 kHz that is not a multiple of k, in dB
// against bin k.
func shapeAlias(y []float32, k int) float64 {
	n := len(y)
	x := make([]complex128, n)
	for i, v := range y {
		x[i] = complex(float64(v), 0)
	}
	measure.FFT(x)
	worst := 0.0
	for i := 4; i*rate < 20000*n; i++ {
		if i%k != 0 {
			worst = max(worst, cmplx.Abs(x[i]))
		}
	}
	return 20 * math.Log10(worst/cmplx.Abs(x[k]))
}

// A driven sine of 5 kHz has aliases of at most -60 dB. Without oversampling they reach -20 dB.
func TestShapeAlias(t *testing.T) {
	const n, k = 1 << 15, 3413 // frames, and the bin of the sine
	freq := float64(k) * rate / n
	x := measure.Tone(freq, rate+n)
	for _, p := range []struct {
		kind        int
		drive, most float64
	}{
		{shapeTanh, 36, -60}, {shapeTanh, 48, -60}, {shapeSoft, 36, -60}, {shapeHard, 36, -60}, {shapeDiode, 36, -60},
		{shapeFold, 12, -60}, {shapeSine, 12, -60},
	} {
		y := measure.Play(&Shape, measure.New(&Shape, float64(p.kind), p.drive), rate+n, x)[0]
		got := shapeAlias(y[rate:], k)
		t.Logf("%s, %g dB: alias %.1f dBc", shapeParams[0].Names[p.kind], p.drive, got)
		if got > p.most {
			t.Errorf("%s, %g dB: alias %.1f dBc, at most %g", shapeParams[0].Names[p.kind], p.drive, got, p.most)
		}
	}
	bare := make([]float32, n)
	for i := range bare {
		bare[i] = float32(approx.Tanh(63 * float64(x[i])))
	}
	t.Logf("without oversampling %.1f dBc", shapeAlias(bare, k))
}

// The curves are those of their names, and the antiderivatives fit them.
func TestShapeCurves(t *testing.T) {
	want := [6]func(float64) float64{
		math.Tanh,
		func(x float64) float64 { x = max(-1, min(1, x)); return 1.5 * x * (1 - x*x/3) },
		func(x float64) float64 { return max(-1, min(1, x)) },
		func(x float64) float64 { return 2 / math.Pi * math.Asin(math.Sin(math.Pi/2*x)) },
		func(x float64) float64 { return math.Sin(math.Pi / 2 * x) },
		func(x float64) float64 {
			if x < 0 {
				return math.Tanh(2*x) / 2
			}
			return math.Tanh(x)
		},
	}
	for kind := range want {
		value, slope := 0.0, 0.0
		for x := -14.9987; x < 15; x += 0.0021 {
			const d = 1e-4
			value = max(value, math.Abs(shapeCurve(kind, x)-want[kind](x)))
			s := (shapeArea(kind, x+d) - shapeArea(kind, x-d)) / (2 * d)
			slope = max(slope, math.Abs(s-want[kind](x)))
		}
		t.Logf("curve %d: error %.2g, of the antiderivative's slope %.2g", kind, value, slope)
		if value > 2e-8 || slope > 1e-4 {
			t.Errorf("curve %d: error %g, slope %g", kind, value, slope)
		}
	}
}

// The dry signal has linear phase with the documented latency, and is flat within 0.15 dB up to 20
// kHz.
func TestShapeDry(t *testing.T) {
	x := make([]float32, rate)
	x[0] = 1
	s := measure.New(&Shape, 0, 0, 0, 0)
	h := measure.Play(&Shape, s, rate, x)[0]
	worst := 0.0
	for f := 200.0; f <= 20000; f *= 1.1 {
		worst = max(worst, math.Abs(measure.Response(h, f, rate)))
	}
	dc := measure.Response(h, 10, rate)
	y := measure.Play(&Shape, measure.New(&Shape, 0, 0, 0, 0), 4800, measure.Tone(1000, 4800))[0]
	var a, b float64
	for i := 2400; i < 4800; i++ {
		sin, cos := math.Sincos(2 * math.Pi * 1000 * float64(i) / rate)
		a, b = a+float64(y[i])*sin, b+float64(y[i])*cos
	}
	late := 48 - 48*math.Atan2(b, a)/(2*math.Pi) // frames, of a period of 48; the DC blocker shortens it a little
	t.Logf("ripple %.4f dB from 200 Hz to 20 kHz, %.2f dB at 10 Hz, %.2f frames late", worst, dc, late)
	if worst > 0.15 || math.Abs(dc+3) > 0.2 || math.Abs(late-36.3) > 0.15 {
		t.Errorf("ripple %g dB, %g dB at 10 Hz, %g frames late", worst, dc, late)
	}
}

// A bias makes even harmonics without a DC offset, and silence stays silence.
func TestShapeBias(t *testing.T) {
	x := measure.Tone(1000, 2*rate)
	y := measure.Play(&Shape, measure.New(&Shape, 0, 12, 0.5), 2*rate, x)[0][rate:]
	one, two := measure.Response(y, 1000, rate), measure.Response(y, 2000, rate)
	mean := 0.0
	for _, v := range y {
		mean += float64(v) / rate
	}
	t.Logf("second harmonic %.1f dBc, mean %.2g", two-one, mean)
	if two-one < -40 || math.Abs(mean) > 1e-5 {
		t.Errorf("second harmonic %.1f dBc, mean %g", two-one, mean)
	}
	for _, v := range measure.Play(&Shape, measure.New(&Shape, 3, 48, 1), 1000)[0] {
		if v != 0 {
			t.Fatalf("silence gives %g", v)
		}
	}
}

// A change of curve is a crossfade.
func TestShapeNoClick(t *testing.T) {
	s := measure.New(&Shape, 0, 0)
	x := measure.Tone(100, 24000)
	var y []float32
	for k := range 10 {
		s.Set(shapeType, float64(k%6))
		y = append(y, measure.Play(&Shape, s, 2400, x[k*2400:])[0]...)
	}
	most := 1.5*2*math.Pi*100/rate + 1.6/240
	for i := 1; i < len(y); i++ {
		if d := math.Abs(float64(y[i] - y[i-1])); d > most {
			t.Fatalf("a step of %g at frame %d", d, i)
		}
	}
}
