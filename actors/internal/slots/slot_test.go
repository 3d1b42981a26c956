package slots_test

import (
	"os"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// A worker that ended before its first block leaves no block to wait for. The head in the journal
// is then that of the generation before, whose ring is gone.
func TestClearIgnoresHeadOfGoneRing(t *testing.T) {
	g := shm.Geometry{Rate: 48000, Block: 64, Channels: 2, Slots: 2, Ring: 8, Guard: 2}
	j, err := shm.NewJournal(g)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	rec, err := shm.AttachRecorder(j.FD(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	rec.Begin(0)
	rec.Publish(5)
	for _, tt := range []struct {
		generation, want uint64
	}{{1, j.Published(0)}, {2, 0}} {
		p, err := sys.OpenProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		ring, _, err := shm.NewSlot(g, 0, tt.generation)
		if err != nil {
			t.Fatal(err)
		}
		var s slots.Slot
		s.Generation, s.Process, s.Ring = tt.generation, p, ring
		s.Clear(j, time.Now())
		if s.Retired.Head != tt.want || s.Retired.Generation != tt.generation {
			t.Errorf("generation %d: waits for %+v, want head %d", tt.generation, s.Retired, tt.want)
		}
		ring.Close()
	}
	if j.Published(0) == 0 {
		t.Error("the first generation published nothing")
	}
}
