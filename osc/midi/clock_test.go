package midi

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// ticks feeds a clock n ticks of a tempo from at on, each shifted by jitter in s. It returns the
// time of the next tick, and the tempos.
func ticks(c *Clock, at float64, n int, bpm float64, jitter func(i int) float64) (next float64, told []float64) {
	for i := range n {
		now := time.Unix(1000, 0).Add(time.Duration((at + jitter(i)) * 1e9))
		if v, ok := c.Tick(now); ok {
			told = append(told, v)
		}
		at += 60 / (ppqn * bpm)
	}
	return at, told
}

func exact(int) float64 { return 0 }

func TestClockExact(t *testing.T) {
	for _, bpm := range []float64{20.5, 60, 97.3, 120, 174, 300, 399} {
		var c Clock
		_, told := ticks(&c, 0, 20*ppqn, bpm, exact)
		if len(told) != 1 || math.Abs(told[0]-bpm) > 0.001 {
			t.Errorf("%g bpm: %v", bpm, told)
		}
	}
	for _, bpm := range []float64{5, 19, 401, 5000} { // 5: a tick is longer than longestTick; an engine refuses the others
		var c Clock
		if _, told := ticks(&c, 0, 20*ppqn, bpm, exact); len(told) != 0 {
			t.Errorf("%g bpm: %v", bpm, told)
		}
	}
}

// Ticks up to 2 ms early or late keep the tempo steady, and it is sent rarely.
func TestClockJitter(t *testing.T) {
	worst := 0.0
	for _, bpm := range []float64{60, 90, 120, 140} {
		for seed := range uint64(12) {
			r := rand.New(rand.NewPCG(seed, 1))
			var c Clock
			_, told := ticks(&c, 0, 100*ppqn, bpm, func(int) float64 { return 0.004*r.Float64() - 0.002 })
			if len(told) == 0 || len(told) > 40 {
				t.Errorf("%g bpm, seed %d: told %d times in 100 beats", bpm, seed, len(told))
			}
			for _, v := range told {
				worst = max(worst, math.Abs(v-bpm))
			}
		}
	}
	t.Logf("worst: %.3f bpm", worst)
	if worst > 0.5 {
		t.Errorf("%.3f bpm off", worst)
	}
}

// A few ticks that were delayed and then arrive together change nothing.
func TestClockStalls(t *testing.T) {
	var c Clock
	_, told := ticks(&c, 0, 50*ppqn, 120, func(i int) float64 {
		if late := i % 100; late >= 97 {
			return float64(100-late) * 0.0208
		}
		return 0
	})
	for _, v := range told {
		if math.Abs(v-120) > 0.2 {
			t.Errorf("%v", told)
		}
	}
}

// A new tempo is sent within four beats, and stays.
func TestClockChange(t *testing.T) {
	for _, to := range []float64{60, 118, 121, 122, 125, 180, 240} {
		var c Clock
		at, _ := ticks(&c, 0, 20*ppqn, 120, exact)
		at, told := ticks(&c, at, 4*ppqn, to, exact)
		if len(told) == 0 || math.Abs(told[len(told)-1]-to) > 0.4 {
			t.Errorf("to %g bpm: %v", to, told)
		}
		_, told = ticks(&c, at, 30*ppqn, to, exact)
		if len(told) > 3 || math.Abs(60/(ppqn*c.sent)-to) > minRefinement {
			t.Errorf("to %g bpm, later: %v, %g", to, told, 60/(ppqn*c.sent))
		}
	}
}

// A clock restarts after a pause; an unchanged tempo is not sent again.
func TestClockRest(t *testing.T) {
	var c Clock
	at, _ := ticks(&c, 0, 5*ppqn, 120, exact)
	if !c.Running(time.Unix(1000, 0).Add(time.Duration(at * 1e9))) {
		t.Error("it does not run")
	}
	at += 10
	if c.Running(time.Unix(1000, 0).Add(time.Duration(at * 1e9))) {
		t.Error("it runs")
	}
	at, told := ticks(&c, at, 5*ppqn, 120, exact)
	if len(told) != 0 {
		t.Errorf("%v", told)
	}
	if _, told = ticks(&c, at+10, 5*ppqn, 100, exact); len(told) != 1 || math.Abs(told[0]-100) > 0.001 {
		t.Errorf("%v", told)
	}
}
