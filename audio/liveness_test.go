package audio

import (
	"runtime"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// When a worker's word is cleared, the callback flips at once, and its ready bit is cleared. A word
// that was never set is no death.
func TestRemovesDeadWorkers(t *testing.T) {
	s := newStage(t, 2)
	d := watchLiveness(s.player.words, s.journal)
	defer d.stop()
	for i, seg := range s.slots {
		d.watch(i, seg.Liveness())
	}
	before := s.control.Active()
	word := s.slots[0].Liveness()
	word.Store(1)
	await(t, "the word to be seen", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.workers[0].started
	})
	if a := s.control.Active(); a != before {
		t.Fatalf("%v while all live", a)
	}
	word.Store(0) // as the kernel does
	sys.FutexWake(word)
	await(t, "the flip", func() bool { return s.control.Active() != before })
	if a := s.control.Active(); a.Slot() != 1 || a.Ready(0) || !a.Ready(1) {
		t.Errorf("%v", a)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); !ok(); runtime.Gosched() {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
