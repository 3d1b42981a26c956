package worker

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// planVariable makes the test program build plans as a worker process does.
const planVariable = "CHRONUS_TEST_PLANS"

func TestMain(m *testing.M) {
	if os.Getenv(planVariable) != "" {
		runtime.LockOSThread()
		prepare()
		schedule(active)
		done := make(chan error)
		go func() { done <- buildPlans() }()
		if err := <-done; err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// buildPlans allocates on three threads while the sweeper runs. Go's runtime then spins for a span
// that another thread is about to hand over (spanSet.pop).
func buildPlans() error {
	debug.SetGCPercent(10)
	text, err := patch.Preset("songs/night")
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	failed := make(chan error, 3)
	for range cap(failed) {
		wg.Go(func() {
			for range 5 {
				if err := buildPlan(text); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func buildPlan(text []byte) error {
	p, err := patch.Parse("songs/night", text)
	if err != nil {
		return err
	}
	c, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		return err
	}
	_, err = stream.New(c)
	return err
}

// Plans are built at ordinary priority. With every thread at SCHED_FIFO, as before decision 22, one
// of twelve processes never ended: two threads spun on both cores and waited for a third.
func TestPlansDoNotSpin(t *testing.T) {
	runs := 20
	if testing.Short() {
		runs = 3
	}
	for i := range runs {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c := exec.CommandContext(ctx, "/proc/self/exe")
		c.Env = append(os.Environ(), planVariable+"=1", "GOMAXPROCS=16", "GODEBUG=asyncpreemptoff=1")
		out, err := c.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("process %d: %v\n%s", i, err, out)
		}
	}
}

// A worker's render thread has the priority of the worker's role.
func TestRole(t *testing.T) {
	var got []role
	l := &loop{slot: 1, schedule: func(s role) { got = append(got, s) }}
	var word shm.Active // slot 0 is active
	word = word.WithReady(0)
	steps := []func(){
		func() {}, // joins
		func() { word = word.WithReady(1) },
		func() { word = word.WithReady(0) }, // does not concern slot 0
		func() { word = word.WithActive(1) },
		func() { word = word.WithActive(0) },
		func() { word = word.Without(1, 0) },
		func() { word = word.WithActive(1) }, // no ready worker is left, and this joiner is the furthest
	}
	for _, step := range steps {
		step()
		l.updateRole(word)
	}
	if want := []role{standby, active, standby, joining, active}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("standings %v, want %v", got, want)
	}
}

// A block that takes more processor time than the limit is endless. A thread that gets no
// processor, or finishes its blocks, is not.
func TestWatchdog(t *testing.T) {
	const ms = time.Millisecond
	at := func(block uint64) shm.Status { return shm.Status{Rendering: true, Block: block} }
	type look struct {
		status shm.Status
		used   time.Duration
	}
	for _, c := range []struct {
		name    string
		looks   []look
		endless int // check at which it is found; -1: never
	}{
		{"gets on", []look{{at(1), 10 * ms}, {at(2), 25 * ms}, {at(3), 50 * ms}, {at(4), 75 * ms}}, -1},
		{"loops", []look{{at(7), 10 * ms}, {at(7), 15 * ms}, {at(7), 29 * ms}, {at(7), 31 * ms}}, 3},
		{"gets no processor", []look{{at(7), 10 * ms}, {at(7), 10 * ms}, {at(7), 10 * ms}, {at(7), 11 * ms}}, -1},
		{"rests between blocks", []look{{at(7), 10 * ms}, {shm.Status{Block: 7}, 45 * ms}, {at(7), 60 * ms}, {at(7), 70 * ms}}, -1},
	} {
		w, found := watchdog{limit: 20 * ms}, -1
		for i, l := range c.looks {
			if w.endless(l.status, l.used) && found < 0 {
				found = i
			}
		}
		if found != c.endless {
			t.Errorf("%s: found at look %d, want %d", c.name, found, c.endless)
		}
	}
}
