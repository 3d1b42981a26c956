package replica

import (
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// An engine that was killed while it entered a batch has left some commands in some rings. The next
// engine puts them into all, and continues the numbers.
func TestFinishBroadcast(t *testing.T) {
	r := diverging(t, 3, 12, 0)
	gate := func(seq uint64) shm.Command {
		return shm.Command{Seq: seq, Op: shm.OpGate, Node: 1, Value: float64(seq)}
	}
	for slot, tail := range []uint64{4, 3, 3} {
		for seq := uint64(1); seq <= tail; seq++ {
			if err := r.slots[slot].Commands.Put(gate(seq)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.log.Append(gate(1), nil)
	r.mem.Control.Commit(1)
	r.finishBroadcast()
	for _, s := range r.slots {
		if c, ok := s.Commands.Peek(4); s.Commands.Tail() != 4 || s.Condemned || !ok || c != gate(4) {
			t.Errorf("worker %d: tail %d, given up %t, %+v", s.Number, s.Commands.Tail(), s.Condemned, c)
		}
	}
	if c, ok := r.log.Between(1, 4); r.log.Last() != 4 || r.mem.Control.Committed() != 4 || !ok || len(c) != 3 {
		t.Errorf("last %d, committed %d, %d in the log", r.log.Last(), r.mem.Control.Committed(), len(c))
	}
}

// An engine that takes over finds the plan that plays in the store if no ring has its command any
// more. A plan whose command was just given counts too, unless the decisions leave it out.
func TestInheritsPresent(t *testing.T) {
	for _, tt := range []struct {
		name     string
		current  bool // the engine before has said that the second plan plays
		command  bool // it is in the log
		decision bool // its block is decided
		skip     bool // and leaves it out
		second   bool // what plays
	}{
		{name: "nothing was changed"},
		{name: "the command is gone", current: true, second: true},
		{name: "commanded, not said", command: true, second: true},
		{name: "commanded, said, entered", command: true, current: true, decision: true, second: true},
		{name: "left out, and reverted", command: true, decision: true, skip: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := withPlans(t, 1)
			first, p := r.plans.Current(), wanted(t, r)
			r.plans.Forget(p.Number) // the new engine has compiled only the checkpoint's
			if tt.current {
				r.mem.Plans.SetCurrent(p.Number)
			}
			if tt.command {
				r.log.Append(shm.Command{Op: shm.OpPlan, Plan: first.Number, Value: float64(p.Number)}, nil)
			}
			if tt.decision {
				r.mem.Journal.ReplaceDecision(12, 1)
			}
			if tt.skip {
				leaveOut(t, r, 12)
			}
			r.restoreCurrent()
			if got := r.plans.Current().Number == p.Number; got != tt.second || got && tt.command && (r.plans.Current().Seq != 1 || r.plans.Current().Previous != first.Number) {
				t.Errorf("plan %d plays, of command %d, before it %d", r.plans.Current().Number, r.plans.Current().Seq, r.plans.Current().Previous)
			}
			if r.mem.Plans.Reader().Current() != r.plans.Current().Number {
				t.Errorf("the store says %d", r.mem.Plans.Reader().Current())
			}
		})
	}
}

// An engine may have given generations that left no trace: workers that ended while they started.
// Each generation is given once, so the next engine skips them all. A worker that plays keeps its
// own.
func TestGenerationsAfterAdoption(t *testing.T) {
	r := diverging(t, 2, 12, noSlot)
	const heard, unheard = 9, 15
	callback(t, r).SetMapped(1, heard)
	s := r.restoreSlot(1, &survivors.Survivors{}, time.Now())
	if s.Phase != slots.Empty || s.Generation < heard+unheard {
		t.Errorf("%v, the next generation is %d; up to %d may have been given", s.Phase, s.Generation+1, heard+unheard)
	}
	ring, cmds, err := shm.NewSlot(r.mem.Geometry, 1, heard)
	if err != nil {
		t.Fatal(err)
	}
	snap, _, err := shm.NewSnapshot(r.mem.Geometry, 1, heard)
	if err != nil {
		t.Fatal(err)
	}
	cmds.Start()
	s = r.restoreSlot(1, &survivors.Survivors{Workers: []*survivors.Survivor{{Role: survivors.RoleWorker, Process: sys.Process{FD: -1}, Slot: ring, Snapshot: snap}}}, time.Now())
	defer func() { s.Release(); launch.CloseSegment(&s.Ring) }()
	if s.Phase != slots.Joining || s.Generation != heard || !s.Attached {
		t.Errorf("%v, generation %d, handed over %t", s.Phase, s.Generation, s.Attached)
	}
}

// After a take-over, no worker is left, and no ring has the commands since the checkpoint. Then the
// patch is played from its beginning.
func TestBeginsAnew(t *testing.T) {
	r := withPlans(t, 2)
	p := wanted(t, r)
	r.setCurrent(p)
	r.checkpoint.last.Seq = 3
	r.log.Restore(9, []shm.Command{{Seq: 8}, {Seq: 9}}) // 4 to 7 are gone
	s, ends := r.slots[1], r.slots[0]
	s.Phase, s.Since, s.Begin = slots.Starting, time.Now(), slots.SnapshotRequest{State: r.checkpoint.last.State, Done: true}
	if r.updateStarting(s, time.Now()); r.plans.Current() != p || s.Condemned {
		t.Fatal("there is a worker that has the state")
	}
	ends.Phase = slots.Empty
	r.mem.Control.RemoveWorker(ends.Number, r.mem.Journal)
	r.afterEnd(fault.Crash{Node: -1})
	if r.plans.Current() != p {
		t.Fatalf("plan %d plays", r.plans.Current().Number)
	}
	r.updateStarting(s, time.Now())
	if r.plans.Current() == p || string(r.plans.Current().Text) != secondPatch || r.checkpoint.last.Seq != 9 || r.checkpoint.last.Block != 12 || len(r.checkpoint.last.Bytes) > 0 || r.logGap() || r.life.fallback == "" {
		t.Errorf("plan %d plays, after command %d, from block %d", r.plans.Current().Number, r.checkpoint.last.Seq, r.checkpoint.last.Block)
	}
}

// leaveOut sets SKIP on the decision for block n, as a worker does.
func leaveOut(t *testing.T, r *Set, n uint64) {
	t.Helper()
	fd, err := syscall.Dup(r.mem.Journal.FD())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := shm.AttachRecorder(fd, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	d, _ := rec.Decision(n)
	if !rec.SkipNew(n, d).Skip() {
		t.Fatal("it is sealed")
	}
}
