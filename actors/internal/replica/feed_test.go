package replica

import (
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/shm"
)

// A joiner whose ring does not hold all commands since its state gets the rest as it takes them, in
// order, and new ones after those.
func TestFeedsMoreThanARing(t *testing.T) {
	r := diverging(t, 2, 0, noSlot)
	const more = 100
	r.mem.Control.SetTransport(shm.Play)
	s := r.slots[1]
	r.slots[0].Phase, s.Phase = slots.Empty, slots.Empty
	for range shm.CommandEntries + more {
		r.log.Append(shm.Command{Op: shm.OpGate}, nil)
	}
	if err := s.Feed(&r.log); err != nil || s.Commands.Tail() != shm.CommandEntries {
		t.Fatalf("fed up to %d: %v", s.Commands.Tail(), err)
	}
	s.Phase = slots.Joining
	s.Ring.Commands().Consume(more / 2)
	if seq, err := r.enterOne(shm.Command{Op: shm.OpGate}, r.plans.Current().Number); err != nil || seq != shm.CommandEntries+more+1 || s.Commands.Tail() != shm.CommandEntries {
		t.Fatalf("command %d came before those that the ring lacks, up to %d: %v", seq, s.Commands.Tail(), err)
	}
	for _, taken := range []uint64{more / 2, more + 1} {
		s.Ring.Commands().Consume(taken)
		if err := s.Feed(&r.log); err != nil || s.Commands.Tail() != shm.CommandEntries+taken {
			t.Fatalf("%d taken, fed up to %d: %v", taken, s.Commands.Tail(), err)
		}
	}
	r.log.Restore(r.log.Last()+1, nil)
	if err := s.Feed(&r.log); err == nil {
		t.Error("commands that are gone were not missed")
	}
}

// Commands that enter together are put into a joiner's ring together. If it becomes active, no
// block has only some of them.
func TestFeedsWholeBatches(t *testing.T) {
	r := diverging(t, 2, 0, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	s := r.slots[1]
	r.slots[0].Phase, s.Phase = slots.Empty, slots.Starting
	const size = commandlog.MaxBatch - 3
	var plays []commandlog.Request
	for range size {
		plays = append(plays, commandlog.Request{Commands: []shm.Command{{Op: shm.OpGate}}})
	}
	for range 9 {
		if _, err := r.put(plays); err != nil {
			t.Fatal(err)
		}
	}
	s.Phase = slots.Joining
	for _, tail := range []uint64{4 * size, 5 * size, 6 * size} {
		if err := s.Feed(&r.log); err != nil || s.Commands.Tail() != tail {
			t.Errorf("fed up to %d, not %d: %v", s.Commands.Tail(), tail, err)
		}
		s.Ring.Commands().Consume(tail - 3*size)
	}
}

// A head of the generation before is not compared, and no block counts as compared.
func TestComparesNoStaleHead(t *testing.T) {
	r := diverging(t, 2, 12, noSlot)
	var err error
	if r.slots[0].Ring, _, err = shm.NewSlot(r.mem.Geometry, 0, 2); err != nil {
		t.Fatal(err)
	}
	if _, n := r.compare(r.slots[1]); n != 0 || r.slots[1].Compared != 0 {
		t.Errorf("%d blocks agree, up to %d", n, r.slots[1].Compared)
	}
}

// A worker that publishes nothing for long is condemned, unless the engine itself was stalled.
func TestStandsStillItself(t *testing.T) {
	for _, tt := range []struct {
		name      string
		step      time.Duration
		condemned bool
	}{{"the worker", timing.Default().Hang / 20, true}, {"the engine", 2 * timing.Default().Hang, false}} {
		r := diverging(t, 2, 12, noSlot)
		for i := range r.slots {
			a := r.mem.Control.Active()
			r.mem.Control.Swap(a, a.WithReady(i))
		}
		now := time.Now()
		for range 30 {
			now = now.Add(tt.step)
			r.Tick(now)
		}
		if r.slots[0].Condemned != tt.condemned {
			t.Errorf("%s stands still: the worker is hung: %t", tt.name, r.slots[0].Condemned)
		}
	}
}
