package slots

import (
	"errors"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm"
)

var errStateTooOld = errors.New("commands since its state are gone")

// SnapshotRequest is a request for a snapshot: to whom, which, since when.
type SnapshotRequest struct {
	Donor      *Slot // nil: none; the checkpoint serves
	Generation uint64
	Number     uint64
	Since      time.Time
	State      shm.State
	Done       bool
}

// RequestSnapshot asks the worker for its state. A request that is under way serves both
// requesters.
func (s *Slot) RequestSnapshot(c shm.Control, now time.Time) SnapshotRequest {
	if _, answered, _ := s.Snapshots.Copy(s.Requested); answered || s.Requested == 0 {
		s.Requested++
	}
	s.Commands.RequestSnapshot(s.Requested)
	c.Wake()
	return SnapshotRequest{Donor: s, Generation: s.Generation, Number: s.Requested, Since: now}
}

// Poll looks whether the snapshot has arrived. failed: this donor will not give it.
func (q *SnapshotRequest) Poll(now time.Time, timeout time.Duration) (failed bool) {
	if q.Done {
		return false
	}
	if q.Donor.Generation != q.Generation || q.Donor.Phase != Ready || q.Donor.Exiting {
		return true
	}
	st, ok, err := q.Donor.Snapshots.Copy(q.Number)
	if err != nil {
		return true
	}
	if ok {
		q.State, q.Done = st, true
		return false
	}
	return now.Sub(q.Since) > timeout
}

// Feed puts the commands that the worker lacks into its ring, as many as it has room for. Since the
// checkpoint there may be more than a ring holds.
func (s *Slot) Feed(log *commandlog.Log) error {
	missing, ok := log.After(s.Commands.Tail())
	if !ok {
		return errStateTooOld
	}
	return s.Commands.Put(missing[:log.Fits(len(missing), s.Commands.Room())]...)
}

// Fill gives the process its initial state and its commands, and makes its ring the one that the
// callback is to read.
func (s *Slot) Fill(log *commandlog.Log) error {
	st := s.Begin.State
	if err := s.State.Fill(st); err != nil {
		return err
	}
	s.Commands.Begin(st.Seq)
	if err := s.Feed(log); err != nil {
		return err
	}
	launch.CloseSegment(&s.Ring)
	s.Ring, s.Next = s.Next, nil
	s.Begin.State.Bytes = nil
	s.Compared, s.Progress.Head = st.Block, st.Block
	s.Attached = false
	return nil
}

// TakeOver gives the slot a worker that outlived its engine.
func (s *Slot) TakeOver(x *survivors.Survivor, gen uint64, mem memory.Memory, now time.Time) {
	s.Generation, s.Process, s.Attached = gen, x.Process, mem.Control.Mapped(s.Number) == gen
	s.Ring, s.Commands, s.Snapshot = x.Slot, shm.CommandsFromSegment(x.Slot), x.Snapshot
	s.Snapshots, s.Requested = shm.SnapshotsFromSegment(x.Snapshot), s.Commands.RequestedSnapshot()
	x.Slot, x.Snapshot = nil, nil
	head := mem.Journal.Head(s.Number)
	s.Progress.Head = head.Published()
	s.Compared, s.Begin.State.Block, s.Begin.Done = s.Progress.Head, s.Progress.Head, true
	s.Enter(Joining, now)
	if mem.Control.Active().Ready(s.Number) && head.Of(gen) {
		s.Enter(Ready, now)
	}
}
