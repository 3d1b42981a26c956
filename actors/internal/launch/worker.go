package launch

import (
	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// Worker is a worker's process, and its segments as the engine maps them.
type Worker struct {
	Process   sys.Process
	Next      *shm.Segment // its ring until the callback reads it, then nil
	Commands  shm.CommandWriter
	Snapshot  *shm.Segment
	Snapshots shm.SnapshotReader
	Initial   *shm.Segment
	State     shm.InitialStateWriter
}

// New makes the segments of a slot's next worker. No process ever reads segments that another one
// wrote. The caller releases them.
func New(g shm.Geometry, slot int, gen uint64) (w Worker, err error) {
	defer func() {
		if err != nil {
			w.Release()
		}
	}()
	if w.Next, w.Commands, err = shm.NewSlot(g, slot, gen); err != nil {
		return w, err
	}
	if w.Snapshot, w.Snapshots, err = shm.NewSnapshot(g, slot, gen); err != nil {
		return w, err
	}
	w.Initial, w.State, err = shm.NewInitialState(g, slot, gen)
	return w, err
}

// Assign gives an idle process the slot, with the segments and the folder of samples.
func (w *Worker) Assign(idle *Idle, mem memory.Memory, samples string, slot int) error {
	defer idle.Socket.Close()
	var readOnly [3]int
	for i, seg := range []*shm.Segment{mem.Control.Segment, mem.Plans.Segment, w.Initial} {
		fd, err := seg.ReadOnlyFD()
		if err != nil {
			return err
		}
		defer func() { _ = sys.CloseFD(fd) }()
		readOnly[i] = fd
	}
	err := wire.Send(idle.Socket, wire.WorkerOrder{Slot: slot, Samples: samples},
		readOnly[0], mem.Journal.FD(), w.Next.FD(), w.Snapshot.FD(), readOnly[1], readOnly[2], mem.Checkpoints.FD())
	w.Process = idle.Process
	return err
}

// Release closes what only a living process needs.
func (w *Worker) Release() {
	CloseSegment(&w.Next)
	CloseSegment(&w.Snapshot)
	CloseSegment(&w.Initial)
}

// CloseSegment unmaps a segment, unless it is nil, and sets it to nil.
func CloseSegment(s **shm.Segment) {
	if *s != nil {
		(*s).Close()
		*s = nil
	}
}
