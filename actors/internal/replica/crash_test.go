package replica

import (
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/shm"
)

// The sender of a command that a block leaves out is answered, even if the worker's end is detected
// only after a checkpoint beyond that block.
func TestLeftOutIsToldAfterASnapshot(t *testing.T) {
	r := diverging(t, 2, 12, noSlot)
	fd, err := syscall.Dup(r.mem.Journal.FD())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := shm.AttachRecorder(fd, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rec.Close)
	told := make(chan error, 1)
	r.log.Append(shm.Command{Op: shm.OpGate, Plan: r.plans.Current().Number}, commandlog.RequesterFunc(func(err error) { told <- err }))
	rec.Propose(19, 0)
	d, ok := rec.Propose(20, 1)
	if d = rec.SkipNew(20, d); !ok || !d.Skip() {
		t.Fatalf("decision %v, %t", d, ok)
	}
	r.fault.WorkerEnded(fault.Crash{Block: 20, Node: -1, OwnFault: true}, fault.Workers{Replicas: 2, Living: 1})
	r.checkpoint.last.State = shm.State{Block: 25, Seq: 1, Plan: r.plans.Current().Number}
	r.resolveCrashes(math.MaxUint64)
	select {
	case err := <-told:
		if err == nil {
			t.Error("told without an error")
		}
	case <-time.After(5 * time.Second):
		t.Error("the sender was not told")
	}
}
