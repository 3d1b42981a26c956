package meter

import (
	"os"
	"strings"
	"testing"
	"time"
)

// A process's time is read correctly whatever its name contains.
func TestProcessTime(t *testing.T) {
	stat := "12 (a) b (c) S 1 1 1 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 5 0 9000 1 2 3"
	if spent, age, err := readProcessTime(stat, "100.50 180.00"); err != nil || spent != 2*time.Second || age != 10500*time.Millisecond {
		t.Errorf("%v of %v, %v", spent, age, err)
	}
	for _, bad := range []string{"", "1 (x) S 1", strings.Replace(stat, "150", "x", 1)} {
		if _, _, err := readProcessTime(bad, "1 1"); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	var w Load
	now := time.Now()
	mean, peak := w.Sample(os.Getpid(), now)
	for start, _, _ := processTime(os.Getpid()); ; { // busy for some ticks
		if spent, _, err := processTime(os.Getpid()); err != nil || spent > start+3*clockTick {
			break
		}
	}
	if m, p := w.Sample(os.Getpid(), now.Add(loadEvery/2)); m != mean || p != peak {
		t.Error("it looks too often")
	}
	if m, p := w.Sample(os.Getpid(), now.Add(loadEvery)); m <= 0 || p < m {
		t.Errorf("mean %v, peak %v of a busy process", m, p)
	}
}
