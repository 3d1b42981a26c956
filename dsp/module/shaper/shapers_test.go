package shaper

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

const rate = measure.Rate

func TestVCA(t *testing.T) {
	a := VCA.New(rate)
	x := measure.Tone(1000, 480)
	y := measure.Play(&VCA, a, 480, x, measure.Constant(0.5, 240))[0]
	for i, v := range y {
		if want := x[i] / 2; i < 240 && v != want || i >= 240 && v != 0 {
			t.Fatalf("frame %d: %g for %g", i, v, x[i])
		}
	}
	if v := measure.Play(&VCA, measure.New(&VCA, 4), 1, measure.Constant(0.25, 1))[0][0]; v != 1 {
		t.Errorf("gain 4: %g", v)
	}
}

func TestMixAndRing(t *testing.T) {
	one := measure.Constant(1, 1)
	if v := measure.Play(&Mix, measure.New(&Mix, 0.5, 0.25, 2, 0), 1, one, one, one, one)[0][0]; v != 2.75 {
		t.Errorf("mix: %g", v)
	}
	// 1000 times 300 Hz gives 700 and 1300 Hz at half the amplitude, and no other frequency.
	y := measure.Play(&Ring, Ring.New(rate), rate, measure.Tone(1000, rate), measure.Tone(300, rate))[0]
	for _, f := range []float64{300, 700, 1000, 1300} {
		want := -200.0
		if f == 700 || f == 1300 {
			want = 20 * math.Log10(0.25*rate) // half the amplitude, summed over all frames
		}
		if got := measure.Response(y, f, rate); math.Abs(got-want) > 0.001 && got > -20 {
			t.Errorf("ring at %g Hz: %.2f dB, want %.2f", f, got, want)
		}
	}
}

// The power is constant. At the ends one side is silent and the other unchanged.
func TestPan(t *testing.T) {
	worst := 0.0
	for at := -1.0; at <= 1; at += 1.0 / 64 {
		m := measure.New(&Pan, at/2)
		y := measure.Play(&Pan, m, 1, measure.Constant(1, 1), measure.Constant(1, 1), measure.Constant(float32(at/2), 1))
		l, r := float64(y[0][0]), float64(y[1][0])
		worst = max(worst, math.Abs(10*math.Log10(l*l+r*r)))
		if want := math.Tan((at + 1) * math.Pi / 4); at < 1 && math.Abs(r/l-want) > 1e-6*(1+want) {
			t.Errorf("pan %g: right to left is %g, want %g", at, r/l, want)
		}
	}
	t.Logf("largest difference in power %.2g dB", worst)
	if worst > 1e-6 {
		t.Errorf("the power differs by %g dB", worst)
	}
	x := measure.Tone(1000, 100)
	left := measure.Play(&Pan, measure.New(&Pan, -1), 100, x, x, measure.Constant(-3, 100))
	right := measure.Play(&Pan, measure.New(&Pan, 1), 100, x, x)
	for i := range x {
		if left[0][i] != x[i] || left[1][i] != 0 || right[0][i] != 0 || right[1][i] != x[i] {
			t.Fatalf("frame %d: the ends are not clean", i)
		}
	}
}

func TestCrossfade(t *testing.T) {
	a, b := measure.Tone(1000, 100), measure.Tone(700, 100)
	first := measure.Play(&Crossfade, measure.New(&Crossfade, 0), 100, a, b, measure.Constant(-1, 100))[0]
	last := measure.Play(&Crossfade, measure.New(&Crossfade, 0), 100, a, b, measure.Constant(1, 100))[0]
	for i := range a {
		if first[i] != a[i] || last[i] != b[i] {
			t.Fatalf("frame %d: the ends are not clean", i)
		}
	}
	mid := measure.Play(&Crossfade, Crossfade.New(rate), 1, measure.Constant(1, 1))[0][0]
	if math.Abs(float64(mid)-math.Sqrt2/2) > 1e-7 {
		t.Errorf("in the middle a is %g", mid)
	}
}

func TestWidth(t *testing.T) {
	l, r := measure.Tone(1000, 100), measure.Tone(731, 100)
	for _, w := range []float64{0, 1, 2} {
		y := measure.Play(&Width, measure.New(&Width, w), 100, l, r)
		for i := range l {
			mid, side := float64(l[i]+r[i])/2, float64(l[i]-r[i])/2
			if w == 1 && (y[0][i] != l[i] || y[1][i] != r[i]) {
				t.Fatalf("width 1 changes frame %d", i)
			}
			if math.Abs(float64(y[0][i])-(mid+w*side)) > 1e-6 || math.Abs(float64(y[1][i])-(mid-w*side)) > 1e-6 {
				t.Fatalf("width %g, frame %d: %g %g", w, i, y[0][i], y[1][i])
			}
		}
	}
}

// A sine with n bits has the noise of n bits. A lower rate repeats values.
func TestCrush(t *testing.T) {
	x := measure.Tone(997, rate)
	for _, bits := range []float64{4, 8, 12, 16} {
		y := measure.Play(&Crush, measure.New(&Crush, bits, rate), rate, x)[0]
		got, want := measure.THDN(y, 997, rate), -(6.02*bits + 1.76)
		t.Logf("%g bits: %.1f dB", bits, got)
		if math.Abs(got-want) > 1.5 {
			t.Errorf("%g bits: %.1f dB, want %.1f", bits, got, want)
		}
	}
	y := measure.Play(&Crush, measure.New(&Crush, 16, 4800), rate, x)[0]
	changes := 0
	for i := 1; i < rate; i++ {
		if y[i] != y[i-1] {
			changes++
		}
	}
	if changes < 4790 || changes > 4800 {
		t.Errorf("at 4800 Hz there are %d values in a second", changes)
	}
	dry := measure.Play(&Crush, measure.New(&Crush, 1, 100, 0), rate, x)[0]
	for i := range x {
		if dry[i] != x[i] {
			t.Fatalf("mix 0 changes frame %d", i)
		}
	}
}
