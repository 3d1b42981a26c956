package delay

import (
	"math"
	"testing"
)

const rate = 48000.0

// The interpolation error is below -85 dB at 1 kHz.
func TestHermite(t *testing.T) {
	for _, tt := range []struct{ freq, most float64 }{{200, -125}, {1000, -85}, {5000, -45}} {
		ring := make([]float32, 256)
		sum := 0.0
		for i := range ring {
			ring[i] = float32(math.Sin(2 * math.Pi * tt.freq * float64(i) / rate))
		}
		for i := range 1000 {
			d := 5 + float64(i)*0.123
			e := Hermite(ring, 200, d) - math.Sin(2*math.Pi*tt.freq*(200-d)/rate)
			sum += e * e
		}
		got := 20 * math.Log10(math.Sqrt(2*sum/1000))
		t.Logf("%g Hz: error %.1f dB", tt.freq, got)
		if got > tt.most {
			t.Errorf("%g Hz: error %.1f dB", tt.freq, got)
		}
	}
}
