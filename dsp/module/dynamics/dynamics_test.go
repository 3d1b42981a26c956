package dynamics

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

const rate = measure.Rate

// steady returns the level in dB of a module's output for a constant input of a level, after a time
// in seconds.
func steady(d *dsp.Desc, m dsp.Module, dB float64, seconds int) (float64, [][]float32) {
	v := float32(math.Pow(10, dB/20))
	x := measure.Constant(v, rate*seconds)
	y := measure.Play(d, m, len(x), x, x)
	return 20 * math.Log10(float64(y[0][len(x)-1])), y
}

// The static curve is that of the paper, for several thresholds, ratios and knees.
func TestCompressorCurve(t *testing.T) {
	worst := 0.0
	for _, p := range [][3]float64{{-20, 4, 6}, {-40, 2, 24}, {-10, 100, 0}, {-30, 1, 12}, {-24, 8, 12}} {
		threshold, ratio, knee := p[0], p[1], p[2]
		for dB := -70.0; dB <= 20; dB += 3.7 {
			want := dB
			switch over := dB - threshold; {
			case 2*over > knee:
				want = threshold + over/ratio
			case 2*over >= -knee && knee > 0:
				want = dB + (1/ratio-1)*(over+knee/2)*(over+knee/2)/(2*knee)
			}
			m := measure.New(&Compressor, threshold, ratio, 0.001, 0.005, knee, 3)
			x := measure.Constant(float32(math.Pow(10, dB/20)), 4800)
			y := measure.Play(&Compressor, m, 4800, x, x)
			got := 20 * math.Log10(float64(y[0][4799]))
			worst = max(worst, math.Abs(got-want-3), math.Abs(float64(y[2][4799])-(dB-want)))
			if math.Abs(got-want-3) > 0.001 {
				t.Errorf("threshold %g, ratio %g, knee %g: %g dB gives %g, want %g", threshold, ratio, knee, dB, got, want+3)
			}
		}
	}
	t.Logf("largest difference %.2g dB", worst)
	if worst > 0.001 {
		t.Errorf("off by %g dB", worst)
	}
}

// Attack and release are time constants of the reduction in dB. The side chain is measured if key
// is side.
func TestCompressorTimes(t *testing.T) {
	m := measure.New(&Compressor, -20, 100, 0.02, 0.2, 0, 0, 1, 1) // 0 dB: 19.8 dB down
	loud, soft := measure.Constant(1, rate), measure.Constant(0.01, 2*rate)
	y := measure.Play(&Compressor, m, 2*rate, soft, soft, loud, loud)
	up, down := float64(y[2][959])/19.8, 0.0
	for i := rate; i < 2*rate && down == 0; i++ {
		if float64(y[2][i]) < 19.8/math.E {
			down = float64(i-rate) / rate
		}
	}
	t.Logf("%.4f of the reduction after the attack's time constant, 1/e after %.4f s of release", up, down)
	if math.Abs(up-(1-1/math.E)) > 1e-3 || down < 0.2 || down > 0.2+0.022 {
		t.Errorf("attack %g, release %g s", up, down)
	}
	if got := float64(y[0][rate-1]) / 0.01; math.Abs(20*math.Log10(got)+19.8) > 0.001 {
		t.Errorf("the side chain turns down by %g dB", 20*math.Log10(got))
	}
}

func TestExpander(t *testing.T) {
	worst := 0.0
	for _, p := range [][3]float64{{-40, 4, 60}, {-20, 2, 12}, {-30, 1, 60}, {-40, 50, 100}} {
		for dB := -90.0; dB <= 6; dB += 7.3 {
			want := dB - min(p[2], max(0, (p[1]-1)*(p[0]-dB)))
			got, _ := steady(&Expander, measure.New(&Expander, p[0], p[1], p[2]), dB, 1)
			worst = max(worst, math.Abs(got-want))
		}
	}
	t.Logf("largest difference %.2g dB", worst)
	if worst > 0.001 {
		t.Errorf("off by %g dB", worst)
	}
	// The gate opens within a few attack times, and a sine above the threshold passes without
	// flutter.
	x := measure.Tone(100, rate)
	y := measure.Play(&Expander, measure.New(&Expander, -20, 50, 100), rate, x, x)[0]
	for i := 960; i < rate; i++ {
		if y[i] != x[i] {
			t.Fatalf("frame %d of an open gate: %g for %g", i, y[i], x[i])
		}
	}
}

// The limiter's output never exceeds the ceiling.
func TestLimiterCeiling(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	limited := 0
	for seed := range 60 {
		m := Limiter.New(rate)
		l, c := m.(*limiter), -r.Float64()*24
		m.Set(limiterCeiling, c)
		m.Set(limiterRelease, 0.01+r.Float64()*0.1)
		m.Reset()
		x, y := nasty(r, seed, 6000), nasty(r, seed+1, 6000)
		out := measure.Play(&Limiter, m, 6000, x, y)
		most := math.Pow(10, c/20) * (1 + 1e-13)
		for k := range 2 {
			for i, v := range out[k] {
				if math.Abs(float64(v)) > most || math.Abs(float64(v)) > l.ceiling {
					t.Fatalf("seed %d, frame %d: %g is above %g", seed, i, v, most)
				}
				if math.Abs(float64(v)) > 0.98*most {
					limited++
				}
			}
		}
		// A lower ceiling holds after 5 ms.
		m.Set(limiterCeiling, c/2-12)
		out = measure.Play(&Limiter, m, 2000, x, y)
		for i := 241; i < 2000; i++ {
			if v := max(math.Abs(float64(out[0][i])), math.Abs(float64(out[1][i]))); v > l.ceiling {
				t.Fatalf("seed %d, %d frames after the change: %g is above %g", seed, i, v, l.ceiling)
			}
		}
	}
	t.Logf("%d samples within 2 %% of the ceiling", limited)
	if limited < 100 {
		t.Error("it limits too much: hardly anything comes near the ceiling")
	}
}

// nasty returns n frames of noise, steps, pulses, sines or bursts with magnitudes of up to 1e6.
func nasty(r *rand.Rand, kind, n int) []float32 {
	x := make([]float32, n)
	scale := math.Pow(10, r.Float64()*12-6)
	for i := range x {
		v := r.Float64()*2 - 1
		switch kind % 6 {
		case 1:
			v = math.Copysign(1, math.Sin(float64(i)/37))
		case 2:
			if r.IntN(200) > 0 {
				v = 0
			}
		case 3:
			v = math.Sin(float64(i) * float64(i) / 1e4)
		case 4:
			v *= math.Pow(10, 12*r.Float64()-6) / scale
		case 5:
			v *= float64(i / 500 % 2)
		}
		x[i] = float32(max(-1e6, min(1e6, v*scale)))
	}
	return x
}

// A signal below the ceiling passes bit for bit, 240 frames later. The gain moves to a peak without
// a step.
func TestLimiterClean(t *testing.T) {
	x := measure.Tone(997, rate)
	for i := range x {
		x[i] *= 0.9
	}
	y := measure.Play(&Limiter, Limiter.New(rate), rate, x, x)
	for i := 240; i < rate; i++ {
		if y[0][i] != x[i-240] || y[1][i] != x[i-240] {
			t.Fatalf("frame %d: %g, in was %g", i, y[0][i], x[i-240])
		}
	}
	// A constant shows the gain around a peak of 20 dB.
	x = measure.Constant(0.5, rate)
	x[10000] = 10
	m := measure.New(&Limiter, 0, 0.05)
	y = measure.Play(&Limiter, m, rate, x, x)
	if got := y[0][10240]; got > 1 || got < 0.999 {
		t.Errorf("the peak comes out as %g", got)
	}
	steepest := 0.0
	for i := 9000; i < 40000; i++ {
		if i != 10239 && i != 10240 {
			steepest = max(steepest, math.Abs(float64(y[0][i+1]-y[0][i]))/0.5)
		}
	}
	t.Logf("steepest gain %.4f a frame", steepest)
	if steepest > 0.9/240 || math.Abs(float64(y[0][47999])-0.5) > 1e-6 {
		t.Errorf("steepest gain %g a frame, at the end %g", steepest, y[0][47999])
	}
}

func TestMeter(t *testing.T) {
	x := append(measure.Tone(1000, 5*rate), make([]float32, 2*rate)...)
	half := make([]float32, len(x))
	for i := range x {
		half[i] = x[i] / 2
	}
	y := measure.Play(&Meter, Meter.New(rate), len(x), x, half)
	for i := range x {
		if y[0][i] != x[i] || y[1][i] != half[i] {
			t.Fatalf("frame %d is changed", i)
		}
	}
	peak, rms := float64(y[2][5*rate-1]), float64(y[3][5*rate-1])
	last := 5*rate - 1
	for x[last] < 0.999 {
		last--
	}
	fall := 20 * math.Log10(float64(y[2][last+int(1.7*rate)])/float64(y[2][last]))
	t.Logf("peak %.5f, rms %.5f, %.3f dB after 1.7 s", peak, rms, fall)
	want := math.Sqrt((0.5 + 0.125) / 2)
	if math.Abs(20*math.Log10(peak)) > 0.02 || math.Abs(20*math.Log10(rms/want)) > 0.02 || math.Abs(fall+20) > 0.05 {
		t.Errorf("peak %g, rms %g of %g, fall %g dB", peak, rms, want, fall)
	}
}

// The gain alone keeps the ceiling; the clip removes only rounding errors.
func TestLimiterGain(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	worst := 0.0
	for kind := range 12 {
		l := measure.New(&Limiter, -6, 0.01).(*limiter)
		x := nasty(r, kind, 6000)
		for i, v := range x {
			gain := l.frame(math.Abs(float64(v)), signal.Smoothing(l.release, rate))
			if l.at++; l.at == len(l.left) {
				l.at = 0
			}
			if i >= 240 {
				worst = max(worst, gain*math.Abs(float64(x[i-240]))/l.ceiling)
			}
		}
	}
	t.Logf("without the clip at most %.12f of the ceiling", worst)
	if worst > 1+1e-12 || worst < 0.999 {
		t.Errorf("without the clip %g of the ceiling", worst)
	}
}
