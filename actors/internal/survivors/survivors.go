// Package survivors finds what an engine that was killed left behind: its processes, which play on,
// and the shared memory whose descriptors they hold.
//
// The package trusts nothing that a process holds: every segment is checked as it is mapped. It
// changes nothing; replica.TakeOver decides what to use.
package survivors

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// The roles of processes.
const (
	RoleWorker = "worker"
	RoleAudio  = "audio"
)

// ErrUnusable says that what was left behind cannot be taken over. Its processes are to be ended.
var ErrUnusable = errors.New("processes of the lost engine cannot be taken over")

// Record is a process as an engine records it in the runtime directory. Start, in clock ticks since
// boot, distinguishes the process from a later one with the same number.
type Record struct {
	Role  string `json:"role"` // RoleWorker or RoleAudio
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// Open returns the process if it still lives. The caller closes it.
func (r Record) Open() (p sys.Process, ok bool) {
	p, err := sys.OpenProcess(r.PID) // first, so that the process that is examined is the one that is signalled
	if err != nil {
		return p, false
	}
	if start, ok := sys.StartTime(r.PID); !ok || start != r.Start {
		_ = p.Close()
		return p, false
	}
	return p, true
}

// Survivor is a process that outlived its engine.
type Survivor struct {
	Role     string
	Process  sys.Process
	Slot     *shm.Segment // of a worker; nil: it was not given one, or it has been taken
	Snapshot *shm.Segment // of a worker
}

// Survivors is what an engine left behind. A segment that is taken is set to nil.
type Survivors struct {
	Audio       *Survivor // nil: none
	Workers     []*Survivor
	Control     *shm.Segment
	Journal     *shm.Segment
	Checkpoints *shm.Segment
	Plans       *shm.Segment
	Rings       []*shm.Segment // that the audio process plays, of dead workers too
}

// Find opens the recorded processes that still live, and what they hold.
func Find(records []Record) (*Survivors, error) {
	s := &Survivors{}
	for _, r := range records {
		p, ok := r.Open()
		if !ok {
			continue
		}
		x := &Survivor{Role: r.Role, Process: p}
		if r.Role == RoleAudio && s.Audio == nil {
			s.Audio = x // the first one plays
		} else {
			s.Workers = append(s.Workers, x)
		}
		if err := s.mapSegments(x); err != nil {
			return s, err
		}
	}
	return s, nil
}

// mapSegments maps the segments that a process holds.
func (s *Survivors) mapSegments(x *Survivor) error {
	fds, err := sys.OpenMemfds(x.Process.PID, shm.MemfdPrefix)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	for i, fd := range fds {
		segment, err := shm.Adopt(fd)
		if err != nil {
			sys.CloseAll(fds[i+1:])
			return fmt.Errorf("%w: process %d: %w", ErrUnusable, x.Process.PID, err)
		}
		place := s.place(x, segment.Kind())
		if place == nil || *place != nil {
			segment.Close() // another process holds it too, or it is not needed
			continue
		}
		*place = segment
	}
	return nil
}

// place is where a segment of some kind belongs that process x holds; nil: nowhere.
func (s *Survivors) place(x *Survivor, k shm.Kind) **shm.Segment {
	switch {
	case k == shm.KindEngine:
		return &s.Control
	case k == shm.KindJournal:
		return &s.Journal
	case k == shm.KindCheckpoint:
		return &s.Checkpoints
	case k == shm.KindPlans:
		return &s.Plans
	case k == shm.KindSnapshot:
		return &x.Snapshot
	case k == shm.KindSlot && x == s.Audio:
		s.Rings = append(s.Rings, nil)
		return &s.Rings[len(s.Rings)-1]
	case k == shm.KindSlot:
		return &x.Slot
	}
	return nil
}

// Living reports whether there is any process.
func (s *Survivors) Living() bool { return s.Audio != nil || len(s.Workers) > 0 }

func (s *Survivors) all() []*Survivor {
	if s.Audio == nil {
		return s.Workers
	}
	return append([]*Survivor{s.Audio}, s.Workers...)
}

// TakeRing returns the ring of a slot's last worker, which has ended but may still be played; nil:
// there is none.
func (s *Survivors) TakeRing(slot int) (ring *shm.Segment) {
	for i, candidate := range s.Rings {
		if candidate == nil {
			continue
		}
		number, gen := candidate.Slot()
		if number != slot {
			continue
		}
		if ring != nil {
			if _, has := ring.Slot(); has >= gen {
				continue
			}
			ring.Close()
		}
		ring, s.Rings[i] = candidate, nil
	}
	return ring
}

// Worker returns the worker of a slot that was let go, and its generation; nil: there is none. A
// worker that was given its ring, but not let go, may lack commands. last is the highest generation
// that is known; Worker returns it, or a higher one that it finds.
func (s *Survivors) Worker(slot int, last uint64) (w *Survivor, gen, highest uint64) {
	highest = last
	for _, x := range s.Workers {
		if x.Slot == nil || x.Role != RoleWorker {
			continue // a spare, or one that has just been started
		}
		number, g := x.Slot.Slot()
		if number != slot {
			continue
		}
		highest = max(highest, g)
		if w == nil && x.Snapshot != nil && shm.CommandsFromSegment(x.Slot).Started() {
			w, gen = x, g
		}
	}
	return w, gen, highest
}

// Leave lets every process be, and unmaps what was not taken.
func (s *Survivors) Leave() {
	for _, x := range s.all() {
		_ = x.Process.Close()
	}
	s.Close()
}

// End asks every process to end, and returns their number. The caller cannot, or shall not, take
// them over.
func (s *Survivors) End() (n int) {
	for _, x := range s.all() {
		if x.Process.Signal(syscall.SIGTERM) == nil {
			n++
		}
	}
	s.Leave()
	return n
}

// Close unmaps what was not taken.
func (s *Survivors) Close() {
	list := []**shm.Segment{&s.Control, &s.Journal, &s.Checkpoints, &s.Plans}
	for i := range s.Rings {
		list = append(list, &s.Rings[i])
	}
	for _, x := range s.Workers {
		list = append(list, &x.Slot, &x.Snapshot)
	}
	for _, segment := range list {
		if *segment != nil {
			(*segment).Close()
			*segment = nil
		}
	}
}
