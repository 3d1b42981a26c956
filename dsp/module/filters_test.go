package module

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/music-chronus/chronus/dsp"
)

// filtered is what m, a module of d, makes of inputs; those that are not given are silent.
func filtered(d *dsp.Desc, m dsp.Module, inputs ...[]float32) [][]float32 {
	n := len(inputs[0])
	for len(inputs) < len(d.Inputs) {
		inputs = append(inputs, make([]float32, n))
	}
	outs := make([][]float32, len(d.Outputs))
	for k := range outs {
		outs[k] = make([]float32, n)
	}
	m.Render(inputs, outs)
	return outs
}

// filterWith is a module whose first parameters have values, at once.
func filterWith(d *dsp.Desc, values ...float64) dsp.Module {
	m := d.New(rate)
	for p, v := range values {
		m.Set(p, v)
	}
	m.Reset()
	return m
}

// impulses are the responses to an impulse of that height, an output each.
func impulses(d *dsp.Desc, m dsp.Module, height float32, n int) [][]float32 {
	in := make([]float32, n)
	in[0] = height
	return filtered(d, m, in)
}

// levelAt is the level in dB at freq of a filter whose impulse response is h; a fast measure.Response.
func levelAt(h []float32, freq float64) float64 {
	var sum complex128
	w, turn := complex(1, 0), cmplx.Exp(complex(0, -2*math.Pi*freq/rate))
	for _, v := range h {
		sum += complex(float64(v), 0) * w
		w *= turn
	}
	return 20 * math.Log10(cmplx.Abs(sum))
}

// filterNoise is white and fills [-1, 1].
func filterNoise(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 5))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(2*r.Float64() - 1)
	}
	return x
}

// filterTone is a sine in [-1, 1].
func filterTone(freq float64, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.Sin(2 * math.Pi * math.Mod(freq*float64(i), rate) / rate))
	}
	return x
}

// filterPeak is the largest absolute value.
func filterPeak(x []float32) (most float64) {
	for _, v := range x {
		if v != v {
			return math.Inf(1)
		}
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

// filterStep is the largest step from frame to frame.
func filterStep(x []float32) (most float64) {
	for i := 1; i < len(x); i++ {
		most = max(most, math.Abs(float64(x[i])-float64(x[i-1])))
	}
	return most
}

// quick functions are as exact as they say.
func TestQuick(t *testing.T) {
	for _, tt := range []struct {
		name          string
		lo, hi, floor float64
		f, ref        func(float64) float64
		most          float64
	}{
		{"quickTan", 0, 0.499, 1e-300, quickTan, func(x float64) float64 { return math.Tan(math.Pi * x) }, 1e-10},
		{"quickExp2", -60, 60, 1e-300, quickExp2, math.Exp2, 1e-11},
		{"quickTanh", -20, 20, 1, quickTanh, math.Tanh, 1e-4},
		{"quickTanh near 0", -0.01, 0.01, 1e-4, quickTanh, math.Tanh, 1e-12},
	} {
		worst := 0.0
		for i := range 100001 {
			x := tt.lo + (tt.hi-tt.lo)*float64(i)/100000
			r := tt.ref(x)
			worst = max(worst, math.Abs(tt.f(x)-r)/max(tt.floor, math.Abs(r)))
		}
		t.Logf("%s: largest error %.3g", tt.name, worst)
		if worst > tt.most {
			t.Errorf("%s: error %g, at most %g", tt.name, worst, tt.most)
		}
	}
	if quickTanh(1e30) != 1 || quickTanh(-1e30) != -1 {
		t.Error("tanh leaves [-1, 1]")
	}
}

// A sweep of the cutoff over ten octaves in 10 ms, up and down again, white noise at the input, the filter as resonant
// as it gets: nothing runs away.
func TestFilterSweeps(t *testing.T) {
	const n = rate
	in, sweep, wild := filterNoise(n, 1), make([]float32, n), filterNoise(n, 2)
	for i := range sweep {
		at := float64(i%960) / 480 // 0 to 2, a turn 20 ms
		sweep[i] = float32(math.Log2(1000) * min(at, 2-at))
		wild[i] *= 10
	}
	for _, tt := range []struct {
		d      *dsp.Desc
		values []float64 // of the first parameters
		most   float64
	}{
		{&Biquad, []float64{0, 20, 20}, 60},
		{&Biquad, []float64{1, 20, 20}, 60},
		{&Biquad, []float64{5, 20, 20, 24}, 200},
		{&Biquad, []float64{7, 20, 20, 24}, 200},
		{&SVF, []float64{20, 20}, 60},
		{&SVF, []float64{20, 50}, 60},
		{&Ladder, []float64{0, 20, 1, 36}, 2.5},
		{&Ladder, []float64{2, 20, 1, 36}, 32},
		{&Ladder, []float64{3, 20, 1, 36}, 32},
		{&Acid, []float64{20, 1, 6, 1, 1, 36}, 2.5},
		{&Formant, []float64{0, 0, 4}, 3},
		{&Formant, []float64{0, 3, 4}, 3},
		{&Comb, []float64{20, 0.999, 0}, 200},
		{&Comb, []float64{20, -0.999, 1}, 200},
	} {
		for name, mod := range map[string][]float32{"sweep": sweep, "noise": wild} {
			m := filterWith(tt.d, tt.values...)
			most := 0.0
			for _, out := range filtered(tt.d, m, in, mod) {
				most = max(most, filterPeak(out))
			}
			t.Logf("%s %v, %s at the cutoff: largest %.3g", tt.d.Type, tt.values, name, most)
			if most > tt.most {
				t.Errorf("%s %v, %s at the cutoff: %g, at most %g", tt.d.Type, tt.values, name, most, tt.most)
			}
		}
	}
}

// A parameter that jumps does not click: around the jump no step from frame to frame is larger than twice the largest that the filter
// makes long before and long after it, plus the largest of the input, a sine of 440 Hz.
func TestFilterClicks(t *testing.T) {
	const n = rate / 4
	in := filterTone(440, 2*n)
	for _, tt := range []struct {
		d        *dsp.Desc
		from, to []float64 // the parameters
	}{
		{&Biquad, []float64{0, 200}, []float64{0, 8000}},
		{&Biquad, []float64{0, 8000}, []float64{0, 20}},
		{&Biquad, []float64{0, 440, 0.5}, []float64{0, 440, 20}},
		{&Biquad, []float64{5, 440, 1, 24}, []float64{5, 440, 1, -24}},
		{&Biquad, []float64{5, 440, 1, 24}, []float64{0, 440, 1, 24}},
		{&Biquad, []float64{1, 440, 1, 24}, []float64{6, 440, 1, 24}},
		{&Biquad, []float64{6, 300, 1, 24}, []float64{7, 300, 1, 24}},
		{&Biquad, []float64{3, 300}, []float64{4, 300}},
		{&SVF, []float64{200, 1}, []float64{8000, 1}},
		{&SVF, []float64{440, 0.5}, []float64{440, 50}},
		{&Ladder, []float64{0, 200}, []float64{0, 8000}},
		{&Ladder, []float64{0, 440, 0, 0}, []float64{0, 440, 0, 36}},
		{&Ladder, []float64{0, 440, 0, 0}, []float64{2, 440, 1, 0}},
		{&Ladder, []float64{1, 440, 0.5, 6}, []float64{3, 440, 0.5, 6}},
		{&Acid, []float64{200}, []float64{8000}},
		{&Acid, []float64{440, 0, 6, 1, 0, 0}, []float64{440, 1, 0, 1, 1, 36}},
		{&Formant, []float64{0, 0}, []float64{4, 0}},
		{&Formant, []float64{2, 0, 4}, []float64{2, 3, 0.25}},
		{&Comb, []float64{220, 0.9}, []float64{330, 0.9}},
		{&Comb, []float64{440, 0.9}, []float64{440, -0.9, 1}},
	} {
		m := filterWith(tt.d, tt.from...)
		before := filtered(tt.d, m, in[:n])
		for p, v := range tt.to {
			m.Set(p, v)
		}
		after := filtered(tt.d, m, in[n:])
		for k := range before {
			still := max(filterStep(before[k][n/2:]), filterStep(after[k][n/2:]))
			jump := filterStep(append(before[k][n-1:n:n], after[k][:n/2]...))
			t.Logf("%s %v to %v: steps of %.3g, at rest %.3g", tt.d.Type, tt.from, tt.to, jump, still)
			if jump > 2*still+filterStep(in) {
				t.Errorf("%s %v to %v: a step of %g, at rest %g", tt.d.Type, tt.from, tt.to, jump, still)
			}
		}
	}
}

// After a second of loud noise and then nothing, each filter is below 1e-20 within 30 s, however resonant it is, and exactly 0 within another.
func TestFilterSilence(t *testing.T) {
	for _, tt := range []struct {
		d      *dsp.Desc
		values []float64 // of the first parameters
	}{
		{&SVF, []float64{10, 50}},
		{&SVF, []float64{highestCutoff * rate, 50}},
		{&Ladder, []float64{0, 10, 1, 36}},
		{&Ladder, []float64{3, 1000, 1, 36}},
		{&Ladder, []float64{2, highestCutoff * rate, 1, 36}},
		{&Acid, []float64{20, 1, 6, 10, 1, 36}},
		{&Acid, []float64{highestCutoff * rate, 1, 6, 10, 1, 36}},
		{&Formant, []float64{1, 0, 4}},
		{&Comb, []float64{20, 0.999, 0}},
		{&Comb, []float64{20, -0.999, 1}},
		{&Comb, []float64{5000, 0.999, 0}},
	} {
		m, in, none := filterWith(tt.d, tt.values...), filterNoise(rate, 4), make([]float32, rate)
		m.Gate(true)
		filtered(tt.d, m, in)
		loud, alive := -1, -1 // the last frames that are not below 1e-20, and not 0
		for at := 0; at < 32*rate && alive >= at-rate; at += rate {
			for _, out := range filtered(tt.d, m, none) {
				for i, v := range out {
					if v != 0 {
						alive = max(alive, at+i)
					}
					if math.Abs(float64(v)) >= tiny {
						loud = max(loud, at+i)
					}
				}
			}
		}
		t.Logf("%s %v: below 1e-20 after %.2f s, 0 after %.2f s", tt.d.Type, tt.values, float64(loud)/rate, float64(alive)/rate)
		if loud < 0 || loud > 30*rate || alive > loud+rate {
			t.Errorf("%s %v: below 1e-20 after frame %d, 0 after %d", tt.d.Type, tt.values, loud, alive)
		}
	}
}
