package filter

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
	"github.com/music-chronus/chronus/dsp/internal/signal"
)

const rate = measure.Rate

// filtered returns the outputs of m, a module of d. Inputs that are missing are silent.
func filtered(d *dsp.Desc, m dsp.Module, inputs ...[]float32) [][]float32 {
	return measure.Play(d, m, len(inputs[0]), inputs...)
}

// impulses returns the response of each output to an impulse of the given height.
func impulses(d *dsp.Desc, m dsp.Module, height float32, n int) [][]float32 {
	in := make([]float32, n)
	in[0] = height
	return filtered(d, m, in)
}

// Filters with the highest resonance stay stable while the cutoff sweeps ten octaves in 10 ms, up
// and down, with white noise at the input.
func TestFilterSweeps(t *testing.T) {
	const n = rate
	in, sweep, wild := measure.Noise(1, n), make([]float32, n), measure.Noise(2, n)
	for i := range sweep {
		at := float64(i%960) / 480 // 0 to 2 within 20 ms
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
			m := measure.New(tt.d, tt.values...)
			most := 0.0
			for _, out := range filtered(tt.d, m, in, mod) {
				most = max(most, measure.Peak(out))
			}
			t.Logf("%s %v, %s at the cutoff: largest %.3g", tt.d.Type, tt.values, name, most)
			if most > tt.most {
				t.Errorf("%s %v, %s at the cutoff: %g, at most %g", tt.d.Type, tt.values, name, most, tt.most)
			}
		}
	}
}

// A parameter that jumps does not click: no step near the jump exceeds twice the largest step far
// from it plus the largest step of the input, a sine of 440 Hz.
func TestFilterClicks(t *testing.T) {
	const n = rate / 4
	in := measure.Tone(440, 2*n)
	for _, tt := range []struct {
		d        *dsp.Desc
		from, to []float64 // values of the first parameters
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
		m := measure.New(tt.d, tt.from...)
		before := filtered(tt.d, m, in[:n])
		for p, v := range tt.to {
			m.Set(p, v)
		}
		after := filtered(tt.d, m, in[n:])
		for k := range before {
			still := max(measure.Steepest(before[k][n/2:]), measure.Steepest(after[k][n/2:]))
			jump := measure.Steepest(append(before[k][n-1:n:n], after[k][:n/2]...))
			t.Logf("%s %v to %v: steps of %.3g, at rest %.3g", tt.d.Type, tt.from, tt.to, jump, still)
			if jump > 2*still+measure.Steepest(in) {
				t.Errorf("%s %v to %v: a step of %g, at rest %g", tt.d.Type, tt.from, tt.to, jump, still)
			}
		}
	}
}

// After a second of loud noise each filter falls below 1e-20 within 30 s, however resonant it is,
// and to exactly 0 within another second.
func TestFilterSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
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
		m, in, none := measure.New(tt.d, tt.values...), measure.Noise(4, rate), make([]float32, rate)
		m.Gate(true)
		filtered(tt.d, m, in)
		loud, alive := -1, -1 // the last frames that are not below 1e-20, and not 0
		for at := 0; at < 32*rate && alive >= at-rate; at += rate {
			for _, out := range filtered(tt.d, m, none) {
				for i, v := range out {
					if v != 0 {
						alive = max(alive, at+i)
					}
					if math.Abs(float64(v)) >= signal.Floor {
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
