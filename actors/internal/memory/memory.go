// Package memory holds the shared memory segments that an engine shares with all of its processes.
// Segments of one worker belong to its slot in package replica.
package memory

import (
	"github.com/music-chronus/chronus/shm"
)

// Memory is the segments of one engine. Their contents outlive the engine: the processes hold the
// descriptors, and a later engine takes the segments over.
type Memory struct {
	Geometry    shm.Geometry
	Control     shm.Control
	Journal     shm.Journal
	Plans       shm.PlanStore
	Checkpoints *shm.CheckpointStore // counts its checkpoints, so that copies of Memory share it
}

// New makes the segments, with a lead of so many blocks. The caller closes them.
func New(g shm.Geometry, lead int) (m Memory, err error) {
	m.Geometry = g
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	if m.Control, err = shm.NewControl(g, lead); err != nil {
		return m, err
	}
	if m.Journal, err = shm.NewJournal(g); err != nil {
		return m, err
	}
	if m.Plans, err = shm.NewPlanStore(g); err != nil {
		return m, err
	}
	checkpoints, err := shm.NewCheckpointStore(g)
	if err != nil {
		return m, err
	}
	m.Checkpoints = &checkpoints
	return m, nil
}

// TakeOver returns the segments of an engine that was lost.
func TakeOver(control, journal, plans, checkpoints *shm.Segment) Memory {
	store := shm.CheckpointStoreFromSegment(checkpoints)
	return Memory{
		Geometry: control.Geometry(),
		Control:  shm.ControlFromSegment(control), Journal: shm.JournalFromSegment(journal),
		Plans: shm.PlanStore{Segment: plans}, Checkpoints: &store,
	}
}

// Close unmaps the segments.
func (m Memory) Close() {
	if m.Checkpoints != nil {
		m.Checkpoints.Close()
	}
	for _, s := range []*shm.Segment{m.Control.Segment, m.Journal.Segment, m.Plans.Segment} {
		if s != nil {
			s.Close()
		}
	}
}
