package udp

import (
	"testing"
	"time"
)

// Datagrams accumulate only above ten in a millisecond.
func TestFloodRises(t *testing.T) {
	var f floodDetector
	at := time.Now()
	steps := []struct {
		n     int
		after time.Duration
		want  bool
	}{{1, 0, false}, {32, 0, false}, {10, 500 * time.Microsecond, false}, {1, 100 * time.Microsecond, true}, {11, 999 * time.Microsecond, true}, {11, time.Millisecond, false}, {11, time.Hour, false}}
	for i, s := range steps {
		if at = at.Add(s.after); f.observe(s.n, at) != s.want {
			t.Errorf("step %d: %d after %v: not %t", i, s.n, s.after, s.want)
		}
	}
}
