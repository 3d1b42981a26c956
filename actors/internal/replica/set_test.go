package replica

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// build makes a Set with the geometry of a default engine, and a device that plays nothing.
func build(workers int) (*Set, error) {
	geo := shm.Geometry{Rate: 48000, Block: 64, Channels: 2, Guard: 2, Slots: uint32(workers), Ring: shm.RingFor(166)}
	mem, err := memory.New(geo, 16)
	if err != nil {
		return nil, err
	}
	mem.Control.RequestLead(16)
	cfg := Config{Geometry: geo, Lead: 16, PatchName: "default", Timeouts: timing.Default()}
	return New(cfg, mem, patch.Default(), &device{}, &observer{event: func(report.Event) {}})
}

// device is an Output without a process.
type device struct {
	open   bool
	attach func(*shm.Segment) bool
}

func (d *device) Open() bool                                         { return d.open }
func (d *device) Attach(s *shm.Segment) bool                         { return d.open && d.attach(s) }
func (*device) Period() int                                          { return 0 }
func (*device) Play()                                                {}
func (*device) Tick(time.Time, bool)                                 {}
func (*device) Notice(_ uint64, n wire.Notice) (bool, *wire.Refused) { return false, n.Refused }
func (*device) Opened()                                              {}
func (*device) Reap(int, time.Time) bool                             { return false }
func (*device) Processes() []sys.Process                             { return nil }
func (*device) TakeOver(*sys.Process)                                {}
func (*device) Stop()                                                {}
func (*device) Status() report.OutputStatus                          { return report.OutputStatus{} }

// observer passes events on.
type observer struct{ event func(report.Event) }

func (o *observer) Event(e report.Event)     { o.event(e) }
func (*observer) WorkerEnded(Exit)           {}
func (*observer) Playing()                   {}
func (*observer) PlanChanged(*plans.Version) {}
func (*observer) CommandEntered(shm.Command) {}
func (*observer) CommandLeftOut(shm.Command) {}
func (*observer) Processes([]int)            {}

// observe passes all events to a function.
func observe(r *Set, f func(report.Event)) { r.obs.(*observer).event = f }

// diverging is a Set without processes, whose workers have published blocks that are equal but for
// the given ones of one of them.
func diverging(t *testing.T, workers int, blocks uint64, wrong int, differ ...uint64) *Set {
	t.Helper()
	r, err := build(workers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	for i, s := range r.slots {
		if s.Ring, s.Commands, err = shm.NewSlot(r.mem.Geometry, i, 1); err != nil {
			t.Fatal(err)
		}
		s.Generation, s.Phase, s.Process = 1, slots.Ready, sys.Process{FD: -1}
		fd, err := syscall.Dup(r.mem.Journal.FD())
		if err != nil {
			t.Fatal(err)
		}
		rec, err := shm.AttachRecorder(fd, i, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(rec.Close)
		a := r.mem.Control.Active()
		r.mem.Control.Swap(a, a.WithReady(i))
		w := s.Ring.AudioWriter()
		for n := range blocks {
			buf := w.Begin(n)
			buf[0] = float32(n)
			for _, d := range differ {
				if d == n && i == wrong {
					buf[0]++
				}
			}
			w.Commit(n, shm.Hash(buf))
			rec.Publish(n + 1)
		}
	}
	return r
}

// If the blocks of two workers differ, the standby is condemned, and a witness decides which was
// wrong. The majority of three workers decides.
func TestDivergence(t *testing.T) {
	r := diverging(t, 2, 12, 1, 7)
	if differs, n := r.compare(r.slots[0]); differs || n != 0 {
		t.Errorf("the active worker was compared with itself: %d", n)
	}
	differs, n := r.compare(r.slots[1])
	if !differs || n != 7 || r.slots[1].Compared != 7 {
		t.Fatalf("%t: %d blocks agree, compared up to %d", differs, n, r.slots[1].Compared)
	}
	r.arbitrate(r.slots[1])
	if r.diverged != 1 || !r.slots[1].Condemned || r.slots[0].Condemned || r.divergence == nil || r.divergence.block != 7 {
		t.Errorf("given up: %t, the active one %t, doubt %+v", r.slots[1].Condemned, r.slots[0].Condemned, r.divergence)
	}
	for wrong := range 3 {
		r := diverging(t, 3, 12, wrong, 5)
		for _, s := range r.slots {
			if differs, _ := r.compare(s); differs {
				r.arbitrate(s)
			}
		}
		for i, s := range r.slots {
			if s.Condemned != (i == wrong) {
				t.Errorf("worker %d is wrong; worker %d given up: %t", wrong, i, s.Condemned)
			}
		}
		if a := r.mem.Control.Active(); a.Slot() == wrong || a.Ready(wrong) || r.divergence != nil {
			t.Errorf("worker %d is wrong; active is %v, doubt %+v", wrong, a, r.divergence)
		}
	}
}

func TestNoDivergence(t *testing.T) {
	r := diverging(t, 2, 12, noSlot)
	if differs, n := r.compare(r.slots[1]); differs || n != 12 {
		t.Errorf("%d blocks agree, differs %t", n, differs)
	}
	if _, n := r.compare(r.slots[1]); n != 0 {
		t.Errorf("%d blocks were compared twice", n)
	}
}

// A worker that does not answer delays a checkpoint by 100 ms: the next one is asked at once.
func TestKeepsThoughOneHangs(t *testing.T) {
	r := diverging(t, 2, 12, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	var donors [2]shm.SnapshotWriter
	for i, s := range r.slots {
		var err error
		if s.Snapshot, s.Snapshots, err = shm.NewSnapshot(r.mem.Geometry, i, 1); err != nil {
			t.Fatal(err)
		}
		fd, err := syscall.Dup(s.Snapshot.FD())
		if err != nil {
			t.Fatal(err)
		}
		if donors[i], err = shm.AttachSnapshot(fd); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	r.updateCheckpoint(now)
	if r.checkpoint.request.Donor != r.slots[1] {
		t.Fatal("the standby is not asked first")
	}
	now = now.Add(r.cfg.Timeouts.Snapshot + time.Millisecond)
	r.updateCheckpoint(now)
	if r.checkpoint.request.Donor != r.slots[0] {
		t.Fatal("the active worker is not asked next, at once")
	}
	donors[0].Complete(r.checkpoint.request.Number, shm.State{Block: 12, Seq: 3, Plan: 1, Bytes: append(donors[0].Buffer(r.checkpoint.request.Number), 1)})
	r.updateCheckpoint(now.Add(time.Millisecond))
	if r.checkpoint.last.Block != 12 || r.checkpoint.last.Seq != 3 {
		t.Errorf("kept block %d, seq %d", r.checkpoint.last.Block, r.checkpoint.last.Seq)
	}
}

// A joiner becomes active without a ready worker, and loses its place before its process has begun.
// It has not ended; a joiner that had begun has.
func TestFlipAwayFromWhoHasNotBegun(t *testing.T) {
	for _, begun := range []bool{false, true} {
		r := diverging(t, 2, 4, noSlot)
		r.mem.Control.SetTransport(shm.Play)
		s := r.slots[1]
		s.Phase = slots.Joining
		a := r.mem.Control.Active()
		r.mem.Control.Swap(a, a.Without(1, 1))
		r.noticeFlip()
		if begun {
			s.Commands.Liveness().Store(1)
		}
		s.NoteLiveness()
		s.Commands.Liveness().Store(0)
		a = r.mem.Control.Active()
		r.mem.Control.Swap(a, a.WithActive(0))
		if r.noticeFlip(); s.Exiting != begun {
			t.Errorf("begun %t: taken for dead %t", begun, s.Exiting)
		}
	}
}

// enterOne enters a command that was resolved with a plan.
func (r *Set) enterOne(c shm.Command, plan uint64) (seq uint64, err error) {
	b := commandlog.Batch{Requests: []commandlog.Request{{Commands: []shm.Command{c}}}, Plan: plan}
	in, err := r.enter(b)
	if refused := b.Requests[0].Refused; refused != nil {
		return 0, refused
	}
	return in.last, err
}

// A worker with a full ring is condemned, and the command enters. If all rings are full, the
// command is refused with a reason, and none is lost.
func TestRingsFull(t *testing.T) {
	r := diverging(t, 2, 4, noSlot)
	r.mem.Control.SetTransport(shm.Play)
	last := uint64(0)
	put := func() error {
		seq, err := r.enterOne(shm.Command{Op: shm.OpGate, Node: 2, Value: 1}, r.plans.Current().Number)
		if err == nil && seq != last+1 {
			t.Fatalf("command %d after %d", seq, last)
		}
		last = max(last, seq)
		return err
	}
	for range shm.CommandEntries {
		if err := put(); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(); !errors.Is(err, commandlog.ErrRingsFull) {
		t.Fatalf("all rings are full: %v", err)
	}
	r.slots[0].Ring.Commands().Consume(10)
	for range 10 {
		if err := put(); err != nil {
			t.Fatal(err)
		}
	}
	if r.slots[0].Condemned || !r.slots[1].Condemned {
		t.Errorf("given up: %t and %t, the second has taken nothing", r.slots[0].Condemned, r.slots[1].Condemned)
	}
	if err := put(); !errors.Is(err, commandlog.ErrRingsFull) || r.mem.Control.Committed() != shm.CommandEntries+10 {
		t.Errorf("committed %d: %v", r.mem.Control.Committed(), err)
	}
}

// A joiner that is slower than two checkpoints gets the commands that it lacks. A starting one
// requests a later state; for one that is being fed, the log keeps them.
func TestSlowJoinerHasItsCommands(t *testing.T) {
	r := diverging(t, 2, 12, 0)
	for range 9 {
		r.log.Append(shm.Command{}, nil)
	}
	now := time.Now()
	keep := func(seq uint64) {
		now = now.Add(r.cfg.Timeouts.KeepLog)
		r.takeCheckpoint(shm.State{Seq: seq, Plan: r.plans.Current().Number}, now)
	}
	s := r.slots[1]
	s.Phase = slots.Joining
	s.Commands.Begin(3)
	keep(5)
	keep(7)
	keep(9)
	if c, ok := r.log.After(3); !ok || len(c) != 6 {
		t.Errorf("%d commands, %t", len(c), ok)
	}
	s.Phase = slots.Ready
	r.takeCheckpoint(shm.State{Seq: 9, Plan: r.plans.Current().Number}, now)
	if r.log.Len() == 0 {
		t.Error("commands are gone before a tape can have read them")
	}
	keep(9)
	if keep(9); r.log.Len() != 0 {
		t.Errorf("%d commands are left that nobody needs", r.log.Len())
	}
	s.Phase, s.Since, s.Begin = slots.Starting, time.Now(), slots.SnapshotRequest{State: shm.State{Seq: 3}, Done: true}
	if r.updateStarting(s, time.Now()); s.Phase != slots.Starting || s.Condemned || s.Begin.State.Seq != 9 {
		t.Errorf("phase %v, given up %t, begins after %d", s.Phase, s.Condemned, s.Begin.State.Seq)
	}
}
