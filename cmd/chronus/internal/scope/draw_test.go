package scope_test

import (
	"math"
	"testing"

	"github.com/music-chronus/chronus/cmd/chronus/internal/scope"
)

// A wave is drawn from where it rises through 0, as high as its peak.
func TestDraw(t *testing.T) {
	x := make([]float32, 4800)
	for i := range x {
		x[i] = float32(0.1 * math.Sin(2*math.Pi*(float64(i)/480+0.3)))
	}
	if got, want := scope.Draw(x, 480, 0.1), "▅▅▆▇▇███████▇▇▆▅▄▄▃▂▂▁▁▁▁▁▁▁▂▂▃▄"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := scope.Draw(make([]float32, 10), 480, 0); len([]rune(got)) != 32 {
		t.Error(got)
	}
}
