package effect

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

const rate = measure.Rate

var impulse = measure.Impulse(1, 1<<14)

// linear returns a ramp. A delayed ramp shows the delay, in frames, at each frame.
func linear(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i) / 16 // exact
	}
	return x
}

// The flanger's delay sweeps its range, and the channels are a quarter turn apart.
func TestFlangerSweep(t *testing.T) {
	const n = 2 * rate
	x := linear(n)
	out := measure.Effect(measure.With(&Flanger, measure.Values{"rate": 1, "depth": 1, "feedback": 0, "mix": 1}), x, x)
	for k, turn := range []float64{0, 0.25} {
		worst := 0.0
		for i := 1000; i < n; i++ {
			got := 16 * (float64(x[i]) - float64(out[k][i]))
			want := rate * (0.0005 + 0.0025*(1+math.Sin(2*math.Pi*(float64(i)/rate+turn))))
			worst = max(worst, math.Abs(got-want))
		}
		t.Logf("channel %d: the delay is right to %.4f frames", k, worst)
		if worst > 0.02 { // the last bit of the ramp is some hundredths of a frame
			t.Errorf("channel %d: the delay is off by %g frames", k, worst)
		}
	}
}

// The comb of a flanger at depth 0 has the peaks and notches of its formula, for both signs.
func TestFlangerComb(t *testing.T) {
	for _, k := range []float64{0.9, -0.9} {
		m := measure.With(&Flanger, measure.Values{"depth": 0, "feedback": k, "mix": 1})
		h := measure.Effect(m, impulse, impulse)[0]
		for _, f := range []float64{500, 1000, 2000, 3000} { // 24 frames: peaks at multiples of 2 kHz
			s, c := math.Sincos(2 * math.Pi * f * 24 / rate)
			want := 1 / math.Hypot(1-k*c, k*s)
			got := measure.Magnitude(h, f)
			if math.Abs(20*math.Log10(got/want)) > 0.05 {
				t.Errorf("feedback %g at %g Hz: %.3f, it should be %.3f", k, f, got, want)
			}
		}
	}
}

// The chorus has three taps with a third of the weight each. Their mean delay is 14 ms, and the
// channels are a quarter turn apart.
func TestChorusTaps(t *testing.T) {
	x := linear(rate)
	out := measure.Effect(measure.With(&Chorus, measure.Values{"rate": 2, "depth": 1, "mix": 1}), x, x)
	for i := 2000; i < rate; i++ {
		if d := 16 * float64(x[i]-out[0][i]); math.Abs(d-0.014*rate) > 0.1 {
			t.Fatalf("frame %d: the mean delay is %g frames", i, d)
		}
	}
	m := measure.With(&Chorus, measure.Values{"rate": 0.01, "depth": 1, "mix": 1})
	h := measure.Effect(m, measure.Impulse(1, 2000), measure.Impulse(1, 2000))
	// At phase 0 the left taps are at 0 and +-sin 120 degrees, the right taps at 1 and twice at
	// -1/2, of 6 ms around 14 ms.
	for _, tt := range []struct {
		channel    int
		ms, weight float64
	}{{0, 14, 1}, {0, 14 + 6*0.866, 1}, {0, 14 - 6*0.866, 1}, {1, 20, 1}, {1, 11, 2}} {
		sum, at := 0.0, int(math.Round(tt.ms*rate/1000))
		for _, v := range h[tt.channel][at-4 : at+5] {
			sum += float64(v)
		}
		if math.Abs(sum-tt.weight/3) > 0.01 {
			t.Errorf("channel %d, %g ms: %.4f, it should be %.4f", tt.channel, tt.ms, sum, tt.weight/3)
		}
	}
}

// The phaser's chain passes all frequencies alike. Mixed with the input it has notches at odd
// multiples of half a turn.
func TestPhaserNotches(t *testing.T) {
	for stages, count := range []int{4, 6, 8} {
		values := measure.Values{"depth": 0, "feedback": 0, "mix": 1, "stages": float64(stages)}
		chain := measure.Effect(measure.With(&Phaser, values), impulse, impulse)
		values["mix"] = 0.5
		both := measure.Effect(measure.With(&Phaser, values), impulse, impulse)
		for _, f := range []float64{30, 300, 3000, 15000} {
			if got := 20 * math.Log10(measure.Magnitude(chain[1], f)); math.Abs(got) > 0.01 {
				t.Errorf("%d stages at %g Hz: %+.3f dB", count, f, got)
			}
		}
		for odd := 1; odd < count; odd += 2 {
			f := rate / math.Pi * math.Atan(math.Tan(math.Pi*phaserMiddle/rate)*math.Tan(math.Pi/2*float64(odd)/float64(count)))
			got := 20 * math.Log10(measure.Magnitude(both[0], f))
			t.Logf("%d stages: notch at %.0f Hz, %.0f dB", count, f, got)
			if got > -60 {
				t.Errorf("%d stages: %.1f dB at %g Hz, where a notch should be", count, got, f)
			}
		}
	}
}

// The level moves between 1 and 1 less depth. At 180 degrees the levels of both channels have a
// constant sum.
func TestTremoloSwing(t *testing.T) {
	x := make([]float32, rate)
	for i := range x {
		x[i] = 1
	}
	out := measure.Effect(measure.With(&Tremolo, measure.Values{"rate": 5, "depth": 0.8, "phase": 180}), x, x)
	for i := range x {
		want := 1 - 0.4*(1-math.Sin(2*math.Pi*5*float64(i)/rate))
		if math.Abs(float64(out[0][i])-want) > 1e-6 || math.Abs(float64(out[0][i]+out[1][i])-1.2) > 1e-6 {
			t.Fatalf("frame %d: %g and %g, left should be %g and both 1.2", i, out[0][i], out[1][i], want)
		}
	}
}
