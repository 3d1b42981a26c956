package reverb

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
)

const rate = measure.Rate

// decayTime returns the T60 in s of an impulse response, by Schroeder's integration: twice the time
// from -5 to -35 dB.
func decayTime(h []float64, fs float64) float64 {
	energy := make([]float64, len(h)+1)
	for i := len(h) - 1; i >= 0; i-- {
		energy[i] = energy[i+1] + h[i]*h[i]
	}
	at := func(dB float64) float64 {
		for i, e := range energy {
			if 10*math.Log10(e/energy[0]) <= dB {
				return float64(i) / fs
			}
		}
		return math.Inf(1)
	}
	return 2 * (at(-35) - at(-5))
}

// bandPass filters x around freq by two band-passes with the quality factor q.
func bandPass(x []float32, freq, q, fs float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	for range 2 {
		w := 2 * math.Pi * freq / fs
		alpha, c := math.Sin(w)/(2*q), math.Cos(w)
		var x1, x2, y1, y2 float64
		for i, v := range y {
			o := (alpha*(v-x2) + 2*c*y1 - (1-alpha)*y2) / (1 + alpha)
			x2, x1, y2, y1 = x1, v, y1, o
			y[i] = o
		}
	}
	return y
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func correlation(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// density returns the normalized echo density by Abel and Huang (2006): the part of 20 ms around a
// frame that exceeds one standard deviation. It is 1 for noise.
func density(h []float32, at int) float64 {
	const half = rate / 100
	part := h[at-half : at+half]
	sum, out := 0.0, 0
	for _, v := range part {
		sum += float64(v) * float64(v)
	}
	dev := math.Sqrt(sum / float64(len(part)))
	for _, v := range part {
		if math.Abs(float64(v)) > dev {
			out++
		}
	}
	return float64(out) / float64(len(part)) / math.Erfc(1/math.Sqrt2)
}

func impulseResponse(d *dsp.Desc, seconds float64, params measure.Values) [][]float32 {
	params["mix"] = 1
	x := measure.Impulse(1, int(seconds*rate))
	return measure.Effect(measure.With(d, params), x, x)
}

// The decay of the tail is that of the parameter, at 1 kHz and over all frequencies, for small and
// large rooms.
func TestReverbDecay(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	for _, size := range []float64{0.5, 1, 2} {
		for _, decay := range []float64{0.5, 1, 2, 5} {
			out := impulseResponse(&Reverb, decay*1.2+0.5, measure.Values{
				"size": size, "decay": decay, "damping": 0.49 * rate, "lowcut": 10, "predelay": 0,
			})
			for k, name := range []string{"left", "right"} {
				wide := decayTime(widen(out[k]), rate)
				kilo := decayTime(bandPass(out[k], 1000, 1.4, rate), rate)
				high := decayTime(bandPass(out[k], 8000, 1.4, rate), rate)
				t.Logf("size %g, decay %g s, %s: measured %.3f s, at 1 kHz %.3f s, at 8 kHz %.3f s",
					size, decay, name, wide, kilo, high)
				for _, got := range []float64{wide, kilo} {
					if math.Abs(got/decay-1) > 0.1 {
						t.Errorf("size %g, decay %g s, %s: %.3f s", size, decay, name, got)
					}
				}
			}
		}
	}
}

// At the frequency damping the decay takes half the time.
func TestReverbDamping(t *testing.T) {
	for _, damping := range []float64{1000, 2000, 5000} {
		out := impulseResponse(&Reverb, 2.5, measure.Values{"decay": 2, "damping": damping})
		got := (decayTime(bandPass(out[0], damping, 6, rate), rate) + decayTime(bandPass(out[1], damping, 6, rate), rate)) / 2
		t.Logf("damping %g Hz: T60 there %.3f s of 2 s", damping, got)
		if math.Abs(got-1) > 0.15 {
			t.Errorf("damping %g Hz: T60 there %.3f s, not 1 s", damping, got)
		}
	}
}

// The tail becomes dense soon, the channels are nearly uncorrelated, and width 0 is mono.
func TestReverbTail(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	for _, d := range []*dsp.Desc{&Reverb, &Freeverb} {
		h := impulseResponse(d, 2, measure.Values{})
		for _, ms := range []int{50, 100, 150, 300, 600} {
			t.Logf("%s: echo density at %d ms %.2f", d.Type, ms, density(h[0], ms*rate/1000))
		}
		if got := density(h[0], rate*3/10); got < 0.85 {
			t.Errorf("%s: echo density at 300 ms %.2f", d.Type, got)
		}
		x := measure.Noise(1, 4*rate)
		out := measure.Effect(measure.With(d, measure.Values{"mix": 1}), x, x)
		c, cn := correlation(h[0], h[1]), correlation(out[0], out[1])
		level := 0.0
		for i := rate; i < len(x); i++ {
			level += float64(out[0][i]) * float64(out[0][i]) / float64(len(x)-rate)
		}
		t.Logf("%s: correlation of the channels %.3f, of mono noise %.3f; noise has %+.1f dB",
			d.Type, c, cn, 10*math.Log10(3*level))
		if math.Abs(c) > 0.3 || math.Abs(cn) > 0.3 {
			t.Errorf("%s: correlation of the channels %.3f, of mono noise %.3f", d.Type, c, cn)
		}
		out = measure.Effect(measure.With(d, measure.Values{"mix": 1, "width": 0}), x, measure.Noise(2, len(x)))
		for i := range x {
			if math.Abs(float64(out[0][i]-out[1][i])) > 1e-6 {
				t.Fatalf("%s: width 0 gives %g and %g", d.Type, out[0][i], out[1][i])
			}
		}
	}
}

// The reverb starts after the predelay, give or take the modulation.
func TestReverbPredelay(t *testing.T) {
	first := func(predelay float64) int {
		h := impulseResponse(&Reverb, 0.5, measure.Values{"predelay": predelay})
		for i, v := range h[0] {
			if v != 0 {
				return i
			}
		}
		return -1
	}
	if none, most := first(0), first(0.25); none < 0 || math.Abs(float64(most-none-rate/4)) > 2*reverbModulation*rate {
		t.Errorf("the first echo is at %d, with 0.25 s of predelay at %d", none, most)
	}
}

// A Freeverb has the same decay at every rate, and the range of room is as documented.
func TestFreeverbDecay(t *testing.T) {
	if testing.Short() {
		t.Skip("long measurement")
	}
	t.Parallel()
	for _, tt := range []struct{ room, least, most float64 }{{0, 0.5, 0.9}, {0.5, 1, 2}, {1, 10, 14}} {
		var got [2]float64
		for i, fs := range []float64{44100, 96000} {
			m := Freeverb.New(fs)
			m.Set(freeverbRoom, tt.room)
			m.Set(freeverbDamp, 0)
			m.Set(freeverbMix, 1)
			m.Reset()
			x := measure.Impulse(1, int(min(10, tt.most+1)*fs))
			got[i] = decayTime(bandPass(measure.Effect(m, x, x)[0], 1000, 1.4, fs), fs)
		}
		t.Logf("room %g: T60 %.2f s at 44.1 kHz, %.2f s at 96 kHz", tt.room, got[0], got[1])
		if got[0] < tt.least || got[0] > tt.most || math.Abs(got[1]/got[0]-1) > 0.1 {
			t.Errorf("room %g: T60 %.2f s at 44.1 kHz, %.2f s at 96 kHz", tt.room, got[0], got[1])
		}
	}
}
