package effect

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// openDelay adds the widest filters to the parameters of a delay.
func openDelay(params measure.Values) measure.Values {
	params["mix"], params["lowcut"], params["highcut"] = 1, 10, 0.49*rate
	return params
}

// The first repeat is the input bit for bit, at its frame. The levels of the next follow from
// feedback.
func TestDelayRepeats(t *testing.T) {
	x, zero := measure.Noise(1, 3*rate), make([]float32, 3*rate)
	out := measure.Effect(measure.With(&Delay, openDelay(measure.Values{"time": 0.35, "feedback": 0})), x, zero)
	const at = rate * 35 / 100
	for i := range x {
		want := float32(0)
		if i >= at {
			want = x[i-at]
		}
		if out[0][i] != want || out[1][i] != 0 {
			t.Fatalf("frame %d: %g and %g, it should be %g and 0", i, out[0][i], out[1][i], want)
		}
	}
	sine := make([]float32, at/2)
	for i := range sine {
		sine[i] = float32(0.5 * math.Sin(2*math.Pi*1000*float64(i)/rate))
	}
	copy(zero, sine)
	out = measure.Effect(measure.With(&Delay, openDelay(measure.Values{"time": 0.35, "feedback": 0.5})), zero, zero)
	for k := 1; k <= 4; k++ {
		sum := 0.0
		for _, v := range out[1][k*at+2000 : k*at+6800] {
			sum += float64(v) * float64(v)
		}
		got, want := math.Sqrt(2*sum/4800), 0.5*math.Pow(0.5, float64(k-1))
		t.Logf("repeat %d: %.4f, without filters %.4f", k, got, want)
		if math.Abs(got/want-1) > 0.01 {
			t.Errorf("repeat %d: %.4f, it should be %.4f", k, got, want)
		}
	}
}

// In ping-pong the repeats alternate. With beats the tempo sets the time, and a time that is too
// long is halved.
func TestDelayPlaces(t *testing.T) {
	for _, tt := range []struct {
		beats, tempo float64
		frames       int
	}{
		{1, 120, rate / 2}, {0.75, 90, rate / 2}, {4, 60, 2 * rate}, {8, 60, 2 * rate}, {16, 20, rate * 3 / 2},
		{0.25, 400, rate * 375 / 10000}, {0, 100, rate / 10},
	} {
		x, zero := measure.Impulse(1, 7*rate), make([]float32, 7*rate)
		m := measure.With(&Delay, openDelay(measure.Values{
			"time": 0.1, "beats": tt.beats, "tempo": tt.tempo, "feedback": 0.9, "pingpong": 1,
		}))
		out := measure.Effect(m, x, zero)
		if l, r := out[0][tt.frames], out[1][tt.frames]; l != 0.5 || r != 0 {
			t.Errorf("%g beats at %g bpm: the first repeat, at frame %d, is %g and %g, not 0.5 and 0",
				tt.beats, tt.tempo, tt.frames, l, r)
		}
		if l, r := out[0][2*tt.frames], out[1][2*tt.frames]; l != 0 || math.Abs(float64(r)-0.45) > 0.05 {
			t.Errorf("%g beats at %g bpm: the second repeat is %g and %g", tt.beats, tt.tempo, l, r)
		}
	}
}

// The second repeat has passed both filters once.
func TestDelayFilters(t *testing.T) {
	const at = rate / 2
	m := measure.With(&Delay, measure.Values{"time": 0.5, "feedback": 0.5, "lowcut": 200, "highcut": 3000, "mix": 1})
	out := measure.Effect(m, measure.Impulse(1, 3*at), measure.Impulse(1, 3*at))
	h := out[0][2*at:]
	for _, f := range []float64{50, 200, 1000, 3000, 10000} {
		tan := func(f float64) float64 { return math.Tan(math.Pi * f / rate) }
		low, high := 1/math.Hypot(1, tan(f)/tan(3000)), 1/math.Hypot(1, tan(200)/tan(f))
		var re, im float64
		for i, v := range h {
			s, c := math.Sincos(2 * math.Pi * f * float64(i) / rate)
			re, im = re+float64(v)*c, im+float64(v)*s
		}
		if got, want := math.Hypot(re, im), 0.5*low*high; math.Abs(20*math.Log10(got/want)) > 0.05 {
			t.Errorf("%g Hz: %.4f, it should be %.4f", f, got, want)
		}
	}
}

// The guard does not change a long tail for 20 s, and a sound at the input ends its fade.
func TestDelayGuard(t *testing.T) {
	m := measure.With(&Delay, openDelay(measure.Values{"time": 1, "feedback": 0.98, "lowcut": 10}))
	tone := make([]float32, rate)
	for i := range tone {
		tone[i] = float32(0.5 * math.Sin(2*math.Pi*500*float64(i)/rate))
	}
	zero := make([]float32, rate)
	level := func(x []float32) float64 { return measure.Peak(measure.Effect(m, x, x)...) }
	level(tone)
	for s := 1; s <= 26; s++ {
		got, want := level(zero), 0.5*math.Pow(0.98, float64(s-1))
		if s <= 20 && math.Abs(got/want-1) > 0.02 {
			t.Errorf("%d s after: %.4f, it should be %.4f", s, got, want)
		}
		if s == 26 && got != 0 {
			t.Errorf("%d s after: %g, it should be 0", s, got)
		}
	}
	level(tone)
	level(zero)
	if got := level(zero); math.Abs(got-0.49) > 0.01 {
		t.Errorf("the loop, awake again, repeats %.4f of 0.5", got)
	}
}
