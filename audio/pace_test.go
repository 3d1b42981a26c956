package audio

import "testing"

// Neither rounding nor the size of a number makes a pacer drift: after a hundred days of odd periods it is
// due on the nanosecond.
func TestPacerDoesNotDrift(t *testing.T) {
	const seconds = 100 * 24 * 3600
	for _, p := range []*Pacer{{Rate: 48000, Period: 64}, {Rate: 44100, Period: 100}, {Rate: 384000, Period: 8192}} {
		n := seconds * int64(p.Rate) / int64(p.Period) // comes out even
		if got := p.after(n); got != seconds*1e9 {
			t.Errorf("%d periods of %d frames at %d Hz take %d ns, want %d s", n, p.Period, p.Rate, got, seconds)
		}
	}
}
