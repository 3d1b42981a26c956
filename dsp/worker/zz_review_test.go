package worker

import (
	"runtime"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// The stream before a change is given back once the one after it has settled.
func TestReviewOldStreamGoes(t *testing.T) {
	b := newBench(t)
	advance := func(count int) {
		for range count {
			b.step(0)
			b.step(1)
			b.playback.Advance(0, false)
		}
	}
	advance(5)
	gone := make(chan struct{})
	func() {
		runtime.SetFinalizer(b.loops[0].str, func(any) { close(gone) })
	}()
	b.addPlan(other)
	b.change(2, 0, 1)
	advance(40)
	if b.loops[0].str.Moving() {
		t.Fatal("still moving")
	}
	for range 20 {
		runtime.GC()
		select {
		case <-gone:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Error("the old stream is kept")
}

// The loop allocates nothing as it goes on with a plan that is ready.
func TestReviewGoOnAllocates(t *testing.T) {
	b := newBench(t)
	l := b.loops[0]
	b.step(0)
	b.addPlan(other)
	l.maker.make(2)
	i := 0
	n := testing.AllocsPerRun(1, func() {
		i++
		if i == 1 {
			return // AllocsPerRun's first run
		}
		if err := l.goOn(shm.Command{Seq: l.seq + 1, Op: shm.OpPlan, Value: 2}, 0); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%g allocations", n)
	}
}
