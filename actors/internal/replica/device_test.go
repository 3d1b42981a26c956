package replica

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/wire"
)

// refuse makes the audio process refuse a ring.
func refuse(r *Set, slot int, gen uint64) {
	n := wire.Refused{AttachOrder: wire.AttachOrder{Slot: slot, Generation: gen}, Reason: "too small"}
	r.HandleNotice(1, wire.Notice{Refused: &n})
}

// callback is the callback's side of the words.
func callback(t *testing.T, r *Set) shm.Playback {
	t.Helper()
	fd, err := syscall.Dup(r.mem.Control.FD())
	if err != nil {
		t.Fatal(err)
	}
	p, err := shm.AttachPlayback(fd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// The worker whose ring is refused is replaced: the reason is reported, and no block is blamed. A
// worker that is gone, or of another generation, is not replaced.
func TestRefusedRing(t *testing.T) {
	var events []report.Event
	r := diverging(t, 3, 12, noSlot)
	observe(r, func(e report.Event) { events = append(events, e) })
	r.isStopped = func(*slots.Slot) bool { return false }
	r.mem.Control.SetTransport(shm.Play)
	for i := range 2 {
		fd, err := syscall.Dup(r.mem.Journal.FD())
		if err != nil {
			t.Fatal(err)
		}
		rec, err := shm.AttachRecorder(fd, i, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Close()
		rec.Begin(12)
		rec.BeginRender(12, 0)
	}
	r.slots[2].Phase = slots.Empty
	for _, slot := range []int{-1, 3, 1 << 40} {
		refuse(r, slot, 1)
	}
	refuse(r, 0, 2) // it has a successor, or none of this generation
	refuse(r, 2, 1) // it has ended
	for _, s := range r.slots {
		if s.Condemned {
			t.Errorf("worker %d was condemned", s.Number)
		}
	}
	refuse(r, 1, 1)
	refuse(r, 1, 1)
	if r.slots[0].Condemned || !r.slots[1].Condemned {
		t.Errorf("condemned: worker 0 %t, worker 1 %t", r.slots[0].Condemned, r.slots[1].Condemned)
	}
	if len(events) != 1 || !strings.Contains(events[0].String(), "worker 1") || !strings.Contains(events[0].String(), "too small") {
		t.Errorf("events %v", events)
	}
	if c := r.mem.Journal.Status(1).Cause; c != shm.CauseNone {
		t.Errorf("the block that worker 1 renders is blamed: %v", c)
	}
	r.condemn(r.slots[0], "it hangs")
	if c := r.mem.Journal.Status(0).Cause; c != shm.CauseHung {
		t.Errorf("a worker that hangs is on record with %v", c)
	}
}

// The next worker of a slot waits until the ring of the last is played out, but not for a ring that
// was refused, in whichever order its worker's end and the refusal become known.
func TestRefusedRingIsNotWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		refused uint64
		want    bool
	}{{"a good ring", 0, false}, {"another ring", 2, false}, {"the ring itself", 1, true}} {
		for _, before := range []bool{false, true} {
			r := diverging(t, 2, 12, noSlot)
			r.mem.Control.SetTransport(shm.Play)
			refused := func() {
				if tt.refused > 0 {
					refuse(r, 1, tt.refused)
				}
			}
			s := r.slots[1]
			if before {
				refused()
			}
			s.Retired.Head, s.Retired.Generation = 12, s.Generation // as reapWorker does
			s.Enter(slots.Empty, time.Now())
			s.Generation++
			if !before && tt.refused != s.Generation {
				refused()
			}
			if got := s.PlayedOut(r.mem.Control); got != tt.want {
				t.Errorf("%s, refused before the end %t: played out %t", tt.name, before, got)
			}
		}
	}
}

// A joiner must be in the callback's hands before it is ready: its ring was sent, and was taken up.
// While there is no audio process, no joiner is ready: the next process may refuse its ring.
func TestReadyNeedsTheCallback(t *testing.T) {
	r := diverging(t, 2, 12, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	var sent []*shm.Segment
	dev := r.out.(*device)
	dev.open, dev.attach = true, func(s *shm.Segment) bool { sent = append(sent, s); return true }
	words := callback(t, r)
	r.pool.Stop() // no spare is wanted
	s := r.slots[1]
	s.Commands.Liveness().Store(1)
	a := r.mem.Control.Active()
	r.mem.Control.Swap(a, a.Without(1, 0))
	s.Enter(slots.Joining, time.Now())
	for _, mapped := range []uint64{0, 7} { // 7: of the worker that had the slot before
		words.SetMapped(1, mapped)
		r.updateJoining(s, time.Now())
		if s.Phase != slots.Joining || r.mem.Control.Active().Ready(1) {
			t.Fatalf("ready, though the callback reads generation %d", mapped)
		}
	}
	dev.open = false
	if r.updateJoining(s, time.Now()); s.Phase != slots.Joining {
		t.Fatal("ready, though there is no audio process")
	}
	dev.open = true
	if len(sent) != 1 || sent[0] != s.Ring {
		t.Fatalf("the audio process was sent %d rings", len(sent))
	}
	words.SetMapped(1, 1)
	if r.updateJoining(s, time.Now()); s.Phase != slots.Ready || !r.mem.Control.Active().Ready(1) {
		t.Errorf("%v, with all that it needs", s.Phase)
	}
}

// A new device gets all rings, and is then started.
func TestNewDeviceGetsAllRings(t *testing.T) {
	r := diverging(t, 3, 12, noSlot)
	sent := 0
	dev := r.out.(*device)
	dev.open, dev.attach = true, func(s *shm.Segment) bool { sent++; return true }
	r.slots[0].Attached = true
	launch.CloseSegment(&r.slots[2].Ring)
	r.deviceOpened()
	if sent != 2 || !r.slots[0].Attached || r.slots[2].Attached {
		t.Errorf("%d rings were sent", sent)
	}
}
