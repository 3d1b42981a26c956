package module

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
)

const rate = 48000

// rendered gives n frames of a module without inputs.
func rendered(m dsp.Module, n int) []float32 {
	out := make([]float32, n)
	m.Render(nil, out)
	return out
}

func TestSineTHD(t *testing.T) {
	for _, f := range []float64{20, 997, 5000, 19997} {
		s := Sine.New(rate)
		s.Set(sineFreq, f)
		s.Set(sineGain, 1)
		s.Reset()
		got := measure.THDN(rendered(s, rate), f, rate)
		t.Logf("sine at %g Hz: THD+N %.1f dB", f, got)
		if got > -140 {
			t.Errorf("%g Hz: %.1f dB, it must be -140 or less", f, got)
		}
	}
}

// After a minute the phase is where it should be: the frequency is right to 1e-5 Hz.
func TestSineFrequency(t *testing.T) {
	const freq, seconds = 440.1234567, 60
	s := &sine{rate: rate}
	s.Set(sineFreq, freq)
	s.Reset()
	for range seconds {
		rendered(s, rate)
	}
	turns := math.Mod(freq*seconds, 1)
	got := float64(s.phase) / (1 << 63) / 2
	err := math.Abs(math.Remainder(got-turns, 1)) / seconds
	t.Logf("frequency error %.2g Hz", err)
	if err > 1e-5 {
		t.Errorf("%g Hz", err)
	}
}

// A change of frequency does not touch the phase: no step larger than the wave's own.
func TestSineNoClick(t *testing.T) {
	s := Sine.New(rate)
	s.Set(sineGain, 1)
	s.Reset()
	out := rendered(s, 1000)
	s.Set(sineFreq, 880)
	out = append(out, rendered(s, 1000)...)
	s.Set(sineGain, 0)
	out = append(out, rendered(s, 1000)...)
	most := 2*math.Pi*880/rate + 1.0/float64(dsp.RampFrames(rate))
	for i := 1; i < len(out); i++ {
		if d := math.Abs(float64(out[i] - out[i-1])); d > most {
			t.Fatalf("frame %d: a step of %g, the wave itself makes %g", i, d, most)
		}
	}
	if out[len(out)-1] != 0 {
		t.Errorf("gain 0 gives %g", out[len(out)-1])
	}
}

// ones is an ADSR over a constant 1, so that its output is the envelope.
func ones(m dsp.Module, n int) []float32 {
	in, out := make([]float32, n), make([]float32, n)
	for i := range in {
		in[i] = 1
	}
	m.Render([][]float32{in}, out)
	return out
}

// Every edge of the envelope is where it should be, to the frame.
func TestADSREdges(t *testing.T) {
	for _, curve := range []float64{0, 1} {
		a := ADSR.New(rate)
		for p, v := range []float64{0.001, 0.002, 0.25, 0.003, curve} { // 48, 96 and 144 frames
			a.Set(p, v)
		}
		before := ones(a, 100)
		a.Gate(true)
		on := ones(a, 400)
		a.Gate(false)
		off := ones(a, 200)
		for i, v := range before {
			if v != 0 {
				t.Fatalf("curve %g: %g at frame %d before the gate", curve, v, i)
			}
		}
		for _, p := range []struct {
			name string
			got  float32
			want float32
		}{
			{"attack's last frame", on[47], 1}, {"decay's last frame", on[48+95], 0.25}, {"sustain", on[399], 0.25},
			{"release's last frame", off[143], 0}, {"after it", off[199], 0},
		} {
			if p.got != p.want {
				t.Errorf("curve %g, %s: %g, want %g", curve, p.name, p.got, p.want)
			}
		}
		if on[0] <= 0 || on[46] >= 1 || on[48] >= 1 || on[48+94] <= 0.25 || off[142] <= 0 {
			t.Errorf("curve %g: an edge comes early: %g %g %g %g %g", curve, on[0], on[46], on[48], on[48+94], off[142])
		}
		if curve == 0 && on[0] != float32(1.0/48) {
			t.Errorf("linear attack begins with %g", on[0])
		}
	}
}

// A gate that opens again begins from the level that there is.
func TestADSRRetrigger(t *testing.T) {
	a := ADSR.New(rate)
	a.Set(adsrAttack, 0.01)
	a.Gate(true)
	first := ones(a, 240)
	a.Gate(true)
	second := ones(a, 480)
	if step := second[0] - first[239]; step <= 0 || step > 0.01 {
		t.Errorf("a step of %g at the second gate", step)
	}
	if second[479] != 1 {
		t.Errorf("the second attack ends at %g", second[479])
	}
}

// impulse is a filter's impulse response, long enough to have died away.
func impulse(mode int, cutoff, q float64, n int) []float32 {
	f := Biquad.New(rate)
	f.Set(biquadMode, float64(mode))
	f.Set(biquadCutoff, cutoff)
	f.Set(biquadQ, q)
	f.Reset()
	in, out := make([]float32, n), make([]float32, n)
	in[0] = 1
	f.Render([][]float32{in}, out)
	return out
}

// The filter measures what the cookbook computes, within 0.05 dB, wherever that is above -80 dB.
func TestBiquadResponse(t *testing.T) {
	worst := 0.0
	for mode := range 3 {
		for _, cutoff := range []float64{20, 100, 1000, 5000, 20000} {
			for _, q := range []float64{0.5, math.Sqrt2 / 2, 2, 10} {
				h := impulse(mode, cutoff, q, 1<<17)
				for f := 20.0; f <= 20000; f *= 2.15 {
					want := 20 * math.Log10(cmplx.Abs(BiquadResponse(mode, cutoff, q, f, rate)))
					if want < -80 {
						continue
					}
					diff := math.Abs(measure.Response(h, f, rate) - want)
					worst = max(worst, diff)
					if diff > 0.05 {
						t.Errorf("mode %d, cutoff %g, Q %g at %g Hz: off by %.3f dB", mode, cutoff, q, f, diff)
					}
				}
			}
		}
	}
	t.Logf("largest difference from the cookbook %.4f dB", worst)
}

// A sine through the filter comes out as a sine: what is added is below -100 dB at all cutoffs.
func TestBiquadSNR(t *testing.T) {
	for _, cutoff := range []float64{20, 200, 2000, 20000} {
		f := Biquad.New(rate)
		f.Set(biquadCutoff, cutoff)
		f.Reset()
		s := Sine.New(rate)
		freq := math.Round(cutoff)
		s.Set(sineFreq, freq)
		s.Set(sineGain, 1)
		s.Reset()
		out := make([]float32, 3*rate)
		f.Render([][]float32{rendered(s, 3*rate)}, out)
		got := measure.THDN(out[2*rate:], freq, rate)
		t.Logf("filter at %g Hz: %.1f dB", cutoff, got)
		if got > -100 {
			t.Errorf("cutoff %g: %.1f dB", cutoff, got)
		}
	}
}

// Sweeps and changes of mode do not click: no step is larger than twice what the still filter's output makes.
func TestBiquadNoClick(t *testing.T) {
	f := Biquad.New(rate)
	s := Sine.New(rate)
	s.Set(sineGain, 1)
	s.Reset()
	in, out := rendered(s, rate/2), make([]float32, rate/2)
	for i := 0; i < len(in); i += 2400 {
		f.Set(biquadMode, float64(i/2400%3))
		f.Set(biquadCutoff, []float64{200, 8000, 1000, 20}[i/2400%4])
		f.Render([][]float32{in[i : i+2400]}, out[i:i+2400])
	}
	most := 2 * 2 * math.Pi * 440 / rate
	for i := 1; i < len(out); i++ {
		if d := math.Abs(float64(out[i] - out[i-1])); d > most {
			t.Fatalf("frame %d: a step of %g, allowed are %g", i, d, most)
		}
	}
}

// Without input the filter's state comes to exactly 0, however slow or resonant: within a second of the
// output's passing 1e-20, and in a number of frames that has nothing to do with blocks.
func TestBiquadSilence(t *testing.T) {
	for _, tt := range []struct{ cutoff, q float64 }{{10, 0.1}, {10, 20}, {1000, 20}, {0.49 * rate, 20}, {0.49 * rate, 0.1}} {
		b := &biquad{rate: rate}
		b.mix[0].Jump(1)
		b.Set(biquadCutoff, tt.cutoff)
		b.Set(biquadQ, tt.q)
		b.Reset()
		b.frame(1)
		last, zero := 0, 0
		for i := 1; i < 40*rate && zero == 0; i++ {
			if y := b.frame(0); y >= tiny || y <= -tiny {
				last = i
			}
			if b.s1 == 0 && b.s2 == 0 {
				zero = i
			}
		}
		t.Logf("%g Hz, Q %g: below 1e-20 after %.3f s, 0 after %.3f s", tt.cutoff, tt.q, float64(last)/rate, float64(zero)/rate)
		if zero == 0 || zero > last+rate {
			t.Errorf("%g Hz, Q %g: below 1e-20 after frame %d, 0 at frame %d", tt.cutoff, tt.q, last, zero)
		}
	}
}
