package oscillator

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/measure"
)

// The strongest component below 16 kHz that is not a partial is at most -50 dB against the
// strongest partial, for every wave and fundamentals from 29 Hz to 4.2 kHz. Aliases lie higher, so
// this is the error of interpolation.
func TestWavetableAlias(t *testing.T) {
	for table, name := range wavetableNames {
		worst := -1000.0
		for wave := range 5 {
			for turns := 5; turns*rate <= 4200*oscTurn; turns = turns*5/4 | 1 {
				m := Wavetable.New(rate)
				m.Set(wavetableTable, float64(table))
				m.Set(wavetablePosition, float64(wave)/4)
				s, most := measure.Spectrum(rendered(oscAt(m, turns), oscTurn)), 0.0
				for i := turns; i < len(s); i += turns {
					most = max(most, s[i])
				}
				a := oscAlias(s, turns, 16000, most)
				worst = max(worst, a)
				if a > -50 {
					t.Errorf("%s %d at %.0f Hz: %.1f dB", name, wave, float64(turns)*rate/oscTurn, a)
				}
			}
		}
		t.Logf("%s: at most %.1f dB below 16 kHz", name, worst)
	}
}

// A wave has the specified partials up to a quarter of the rate, at every level.
func TestWavetablePartials(t *testing.T) {
	for _, turns := range []int{19, 77, 311} {
		m := Wavetable.New(rate)
		m.Set(wavetablePosition, 0.75)
		s := measure.Spectrum(rendered(oscAt(m, turns), oscTurn))
		worst := 0.0
		for n := 1; n*turns*rate < 12000*oscTurn; n++ {
			worst = max(worst, math.Abs(20*math.Log10(s[n*turns]/s[turns]*float64(n))))
		}
		t.Logf("saw at %.0f Hz: within %.3f dB up to 12 kHz", float64(turns)*rate/oscTurn, worst)
		if worst > 0.5 {
			t.Errorf("saw at %.0f Hz: a partial is off by %.2f dB", float64(turns)*rate/oscTurn, worst)
		}
	}
}

// Half way between two waves the output is the mean of both, and a change of table is crossfaded.
func TestWavetableMorph(t *testing.T) {
	at := func(position float64) []float32 {
		m := Wavetable.New(rate)
		m.Set(wavetablePosition, position)
		return rendered(oscAt(m, 37), 1000)
	}
	a, b, c := at(0.5), at(0.75), at(0.625)
	for i := range a {
		if math.Abs(float64(c[i]-(a[i]+b[i])/2)) > 1e-6 {
			t.Fatalf("frame %d: %g between %g and %g", i, c[i], a[i], b[i])
		}
	}
	m := oscAt(Wavetable.New(rate), 5)
	out := rendered(m, 1000)
	m.Set(wavetableTable, 2)
	out = append(out, rendered(m, 1000)...)
	if most := measure.Steepest(out); most > 0.03 {
		t.Errorf("a step of %g at the change of table", most)
	}
}
