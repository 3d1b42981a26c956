//go:build sim

package replica

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// A run has faults until it has played simBlocks blocks, or for simTurns turns.
const (
	simBlocks = 100
	simTurns  = 20000
	simLong   = 25  // one run in so many goes through the journal more than once
	simRuns   = 700 // with the same seeds each time, in CI
)

// TestSim runs the real worker loops, player, output and Set under interleavings that a seed
// chooses, with faults. It compares all that is published and played with an uninterrupted render.
// Without CHRONUS_SIM_SEED and CHRONUS_SIM_TIME it runs the same seeds each time.
func TestSim(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one task runs at a time
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	addSimNoise()
	if text := os.Getenv("CHRONUS_SIM_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("CHRONUS_SIM_SEED: %v", err)
		}
		first := simulate(t, seed)
		if again := simulate(t, seed); again.digest != first.digest {
			t.Errorf("seed %d is not repeated: %x, then %x", seed, first.digest, again.digest)
		}
		return
	}
	seed, until := uint64(1), func(n int) bool { return n == simRuns }
	if text := os.Getenv("CHRONUS_SIM_RUNS"); text != "" {
		var last uint64
		if _, err := fmt.Sscanf(text, "%d-%d", &seed, &last); err != nil {
			t.Fatalf("CHRONUS_SIM_RUNS: %v: want the first and the last seed, like 1-10000", err)
		}
		until = func(n int) bool { return seed+uint64(n) > last }
	}
	if text := os.Getenv("CHRONUS_SIM_TIME"); text != "" {
		length, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("CHRONUS_SIM_TIME: %v", err)
		}
		began := time.Now()
		seed, until = uint64(began.UnixNano()), func(int) bool { return time.Since(began) > length }
	}
	traces := simTraces(t)
	var sum simFigures
	for n := 0; !until(n) && (!t.Failed() || traces != io.Discard); n++ {
		run := simulate(t, seed+uint64(n))
		fmt.Fprintf(traces, "%d %016x\n", seed+uint64(n), run.trace)
		sum.add(run)
	}
	if t.Log(sum); sum.runs >= simRuns && min(sum.made, sum.refused, sum.left, sum.engines, sum.keeps, sum.spoils) == 0 {
		t.Error("something that is to be tried was not")
	}
}

// simFigures counts what happened in runs.
type simFigures struct {
	runs, steps, turns, played, copies, faults, commands, workers, made, refused, left, engines, keeps, spoils int
	digest                                                                                                     uint64
	trace                                                                                                      uint64 // of what could be observed: see simTrace
}

func (f *simFigures) add(g simFigures) {
	f.runs, f.steps, f.turns, f.played = f.runs+1, f.steps+g.steps, f.turns+g.turns, f.played+g.played
	f.copies, f.faults, f.commands, f.workers = f.copies+g.copies, f.faults+g.faults, f.commands+g.commands, f.workers+g.workers
	f.made, f.refused, f.left = f.made+g.made, f.refused+g.refused, f.left+g.left
	f.engines, f.keeps, f.spoils = f.engines+g.engines, f.keeps+g.keeps, f.spoils+g.spoils
}

// String shows the figures in a line.
func (f simFigures) String() string {
	return fmt.Sprintf("%d runs: %d accesses to shared words in %d turns, %d blocks played and %d published by %d workers, %d commands, %d faults; of the changes of the patch %d entered, %d were refused, %d left out; %d engines took over, %d snapshots were kept, %d rings were spoiled",
		f.runs, f.steps, f.turns, f.played, f.copies, f.workers, f.commands, f.faults, f.made, f.refused, f.left, f.engines, f.keeps, f.spoils)
}

// simulate is one run.
func simulate(t *testing.T, seed uint64) simFigures {
	t.Helper()
	w, err := newSimWorld(seed)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	length := 1
	if seed%simLong == 0 {
		length = 1 + shm.Laps/simBlocks
	}
	w.storm(uint64(length*simBlocks), length*simTurns)
	if w.failure == nil {
		w.settle()
	}
	if w.failure != nil {
		for _, s := range w.set.slots {
			if !s.Fed() {
				continue // its words may be unmapped
			}
			w.note("slot %d generation %d: phase %v, head %d, compared %d, agreed %d, hung %t, tail %d, taken %d, life %d, seeded at %d", s.Number, s.Generation, s.Phase,
				w.set.mem.Journal.Published(s.Number), s.Compared, s.Agreed, s.Condemned, s.Commands.Tail(), s.Commands.Consumed(), s.Commands.Liveness().Load(), s.Begin.State.Block)
		}
		trail := w.trail[max(0, len(w.trail)-40):]
		t.Errorf("CHRONUS_SIM_SEED=%d repeats it: gentle %t, grain %d, %d slots, ring %d, lead %d, guard %d, period %d\n%s\n%v",
			seed, w.gentle, w.grain, len(w.set.slots), w.set.mem.Geometry.Ring, w.set.mem.Control.Lead(), w.set.mem.Geometry.Guard, w.period, strings.Join(trail, "\n"), w.failure)
	}
	return simFigures{
		steps: w.steps, turns: w.turns, played: int(w.seen), copies: w.copies, faults: w.faults,
		commands: len(w.commands), workers: len(w.all), digest: w.digest, made: w.made, refused: w.refused, left: len(w.spurned), engines: w.engines, keeps: w.keeps, spoils: w.spoils,
		trace: w.trace(),
	}
}
