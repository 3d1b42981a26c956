package oscillator

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
)

const rate = measure.Rate

// oscTurn is a length, in frames, over which an oscillator at an odd number of turns is exactly
// periodic. Its partials are on the bins that are multiples of that number, its aliases are on
// others, and no window is needed.
const oscTurn = 8192

// oscAlias returns the level of the strongest bin below limit in Hz that is not a multiple of
// turns, in dB against ref.
func oscAlias(spectrum []float64, turns int, limit, ref float64) float64 {
	most := 1e-12
	for i := 1; i < int(limit/rate*oscTurn); i++ {
		if i%turns != 0 {
			most = max(most, spectrum[i])
		}
	}
	return 20 * math.Log10(most/ref)
}

func oscAt(m dsp.Module, turns int) dsp.Module {
	m.Set(oscFreq, float64(turns)*rate/oscTurn)
	m.Set(oscGain, 1)
	m.Reset()
	return m
}

// The strongest alias below 10 kHz is at most -50 dB against the fundamental, and 24 dB below that
// of the naive wave, for 39 fundamentals from 53 Hz to 4.2 kHz.
func TestOscAlias(t *testing.T) {
	for _, w := range []struct {
		name  string
		d     *dsp.Desc
		naive func(t float64) float64
	}{
		{"saw", &Saw, func(t float64) float64 { return 2*t - 1 }},
		{"square", &Square, func(t float64) float64 { return math.Copysign(1, 0.5-t-1e-9) }},
		{"triangle", &Triangle, func(t float64) float64 { return 4*math.Abs(t-0.5) - 1 }},
	} {
		worst, least := -1000.0, 1000.0
		for turns := 9; turns*rate <= 4200*oscTurn; turns += 16 {
			m := oscAt(w.d.New(rate), turns)
			got := measure.Spectrum(rendered(m, oscTurn))
			hard := make([]float32, oscTurn)
			for i := range hard {
				hard[i] = float32(w.naive(float64(i*turns%oscTurn) / oscTurn))
			}
			bare := measure.Spectrum(hard)
			a, b := oscAlias(got, turns, 10000, got[turns]), oscAlias(bare, turns, 10000, bare[turns])
			worst, least = max(worst, a), min(least, b-a)
			if a > -50 || b-a < 24 {
				t.Errorf("%s at %.0f Hz: %.1f dB, the naive wave %.1f", w.name, float64(turns)*rate/oscTurn, a, b)
			}
		}
		t.Logf("%s: alias below 10 kHz at most %.1f dBc, at least %.1f dB better than naive", w.name, worst, least)
	}
}

// The partials are those of the ideal wave within 0.5 dB, up to 10 kHz.
func TestOscPartials(t *testing.T) {
	const turns = 37 // 217 Hz
	for _, w := range []struct {
		d    *dsp.Desc
		want func(n float64) float64
	}{
		{&Saw, func(n float64) float64 { return 2 / (math.Pi * n) }},
		{&Square, func(n float64) float64 { return 4 / (math.Pi * n) * math.Mod(n, 2) }},
		{&Triangle, func(n float64) float64 { return 8 / (math.Pi * math.Pi * n * n) * math.Mod(n, 2) }},
	} {
		s, worst := measure.Spectrum(rendered(oscAt(w.d.New(rate), turns), oscTurn)), 0.0
		for n := 1; n*turns*rate < 10000*oscTurn; n++ {
			if want := w.want(float64(n)); want > 0 {
				worst = max(worst, math.Abs(20*math.Log10(s[n*turns]/want)))
			} else if s[n*turns] > 1e-6 {
				t.Errorf("%s: partial %d is %g", w.d.Type, n, s[n*turns])
			}
		}
		t.Logf("%s: partials within %.2f dB", w.d.Type, worst)
		if worst > 0.5 || s[0] > 1e-6 {
			t.Errorf("%s: a partial is off by %.2f dB, and the mean is %g", w.d.Type, worst, s[0]/2)
		}
	}
}

// After a minute, with both inputs in use, the phase is exact: the frequency error is below 1e-5
// Hz.
func TestOscFrequency(t *testing.T) {
	const seconds = 60
	for _, d := range []*dsp.Desc{&Sine, &Saw, &Square, &Triangle, &Wavetable, &FM} {
		m := d.New(rate)
		m.Set(oscFreq, 219.1234567)
		in, out := make([][]float32, len(d.Inputs)), [][]float32{make([]float32, rate)}
		for i := range in {
			in[i] = make([]float32, rate)
		}
		for i := range rate {
			in[0][i], in[1][i] = 1, 1.5
		}
		for range seconds {
			m.Render(in, out)
		}
		o := map[string]func() *osc{
			"sine": func() *osc { return &m.(*sine).osc }, "saw": func() *osc { return &m.(*saw).osc },
			"square": func() *osc { return &m.(*square).osc }, "triangle": func() *osc { return &m.(*triangle).osc },
			"wavetable": func() *osc { return &m.(*wavetable).osc }, "fm": func() *osc { return &m.(*fm).osc },
		}[d.Type]()
		turns := math.Mod((2*219.1234567+1.5)*seconds, 1)
		err := math.Abs(math.Remainder(float64(o.phase)/(1<<63)/2-turns, 1)) / seconds
		t.Logf("%s: frequency error %.2g Hz", d.Type, err)
		if err > 1e-5 {
			t.Errorf("%s: %g Hz", d.Type, err)
		}
	}
}

// The largest step from a frame to the next measures a click. While a parameter other than freq
// jumps between two values, it is at most that of the constant wave plus the steps of the ramps. A
// width that moves towards the phase makes a hard edge of 2 with its overshoot.
func TestOscNoClick(t *testing.T) {
	const turns = 37
	step := 2*math.Pi*turns/oscTurn + 1.0/float64(dsp.RampFrames(rate))
	for _, tt := range []struct {
		d      *dsp.Desc
		param  int
		values []float64
		most   float64
	}{
		{&Triangle, oscGain, []float64{1, 0}, step},
		{&Saw, oscGain, []float64{1, 0}, measure.Steepest(rendered(oscAt(Saw.New(rate), turns), oscTurn))},
		{&Square, oscGain, []float64{1, 0}, measure.Steepest(rendered(oscAt(Square.New(rate), turns), oscTurn))},
		{&Square, squareWidth, []float64{0.01, 0.99}, 13.0 / 6},
		{&Wavetable, wavetablePosition, []float64{0, 0.25}, 2 * step},
		{&Wavetable, oscGain, []float64{0, 1}, step},
		{&FM, fmIndex, []float64{0, 2}, 3*step + 2/float64(dsp.RampFrames(rate))},
	} {
		m := oscAt(tt.d.New(rate), turns)
		var out []float32
		for i := range 40 {
			out = append(out, rendered(m, 517)...)
			m.Set(tt.param, tt.values[i%2])
		}
		got := measure.Steepest(out)
		t.Logf("%s, %s: largest step %.4f, allowed %.4f", tt.d.Type, tt.d.Params[tt.param].Name, got, tt.most)
		if got > tt.most {
			t.Errorf("%s, %s: a step of %g, allowed are %g", tt.d.Type, tt.d.Params[tt.param].Name, got, tt.most)
		}
	}
}

// A jump of the frequency does not change the phase.
func TestOscFrequencyJump(t *testing.T) {
	for _, d := range []*dsp.Desc{&Triangle, &Wavetable, &FM} {
		m := oscAt(d.New(rate), 37)
		var out []float32
		for i := range 40 {
			out = append(out, rendered(m, 517)...)
			m.Set(oscFreq, []float64{100, 1000}[i%2])
		}
		most := 3 * 2 * math.Pi * 1000 / rate // FM at index 2 is three times as steep as a sine
		got := measure.Steepest(out)
		t.Logf("%s: largest step %.4f, allowed %.4f", d.Type, got, most)
		if got > most {
			t.Errorf("%s: a step of %g, allowed are %g", d.Type, got, most)
		}
	}
}

// An input that is added to a parameter has the effect of the parameter.
func TestOscInputs(t *testing.T) {
	for _, tt := range []struct {
		d            *dsp.Desc
		param, input string
		value        float64
		moved        float64 // value of the parameter when the input is value-moved
	}{
		{&Square, "width", "pw", 0.75, 0.25}, {&Wavetable, "position", "position", 0.625, 0.5}, {&FM, "index", "index", 3, 1},
		{&Sine, "freq", "fm", 1000, 900}, {&Saw, "freq", "fm", 1000, 900}, {&Triangle, "freq", "fm", 1000, 900},
	} {
		sound := func(value, input float64) []float32 {
			m := tt.d.New(rate)
			m.Set(tt.d.Index(tt.param), value)
			m.Reset()
			in, out := make([][]float32, len(tt.d.Inputs)), make([]float32, 500)
			for i := range in {
				in[i] = make([]float32, len(out))
			}
			port, _ := dsp.FindPort(tt.d.Inputs, tt.input)
			for i := range in[port] {
				in[port][i] = float32(input)
			}
			m.Render(in, [][]float32{out})
			return out
		}
		want, got, other := sound(tt.value, 0), sound(tt.moved, tt.value-tt.moved), sound(tt.moved, 0)
		differ := 0.0
		for i := range want {
			if want[i] != got[i] {
				t.Fatalf("%s, frame %d: %s gives %g, the parameter %g", tt.d.Type, i, tt.input, got[i], want[i])
			}
			differ = max(differ, math.Abs(float64(want[i]-other[i])))
		}
		if differ < 0.01 {
			t.Errorf("%s: %s changes nothing", tt.d.Type, tt.param)
		}
	}
}

// The level of each sideband is the Bessel function of its order at the index.
func TestFMBessel(t *testing.T) {
	const carrier, modulator = 1536, 192
	for _, index := range []float64{0.5, 2, 5} {
		m := FM.New(rate)
		m.Set(fmRatio, 1.0*modulator/carrier)
		m.Set(fmIndex, index)
		s := measure.Spectrum(rendered(oscAt(m, carrier), oscTurn))
		worst := 0.0
		for n := -7; n <= 7; n++ {
			worst = max(worst, math.Abs(s[carrier+n*modulator]-math.Abs(math.Jn(n, index)-oscFolded(n, index))))
		}
		t.Logf("index %g: sidebands within %.2g of the Bessel functions", index, worst)
		if worst > 1e-5 {
			t.Errorf("index %g: a sideband is off by %g", index, worst)
		}
	}
}

// oscFolded returns the level of the sideband that is mirrored at 0 Hz to the place of the n-th.
func oscFolded(n int, index float64) float64 { return math.Jn(-16-n, index) }

// With full feedback the output has no mean and stays within gain.
func TestFMFeedback(t *testing.T) {
	m := FM.New(rate)
	m.Set(fmIndex, 0)
	m.Set(fmFeedback, 1)
	for _, v := range rendered(oscAt(m, 37), oscTurn) {
		if v > 1 || v < -1 {
			t.Fatalf("%g", v)
		}
	}
	m.Set(fmIndex, 1)
	if s := measure.Spectrum(rendered(oscAt(m, 37), 2*oscTurn)); s[5*74] < 0.01 {
		t.Errorf("the fifth partial of a modulator with feedback is %g", s[5*74])
	}
}

// rendered returns n frames of a module with silent inputs, at most four of them.
func rendered(m dsp.Module, n int) []float32 {
	out, none := make([]float32, n), make([]float32, n)
	m.Render([][]float32{none, none, none, none}, [][]float32{out})
	return out
}
