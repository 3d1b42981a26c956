package slots

import (
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// Phase is how far the process of a slot has come.
type Phase int

// The phases.
const (
	Empty    Phase = iota // no process
	Starting              // spawned, not yet let go
	Joining               // catching up with the active worker
	Ready                 // may become active
)

// String names the phase as status shows it.
func (p Phase) String() string { return [...]string{"empty", "starting", "joining", "ready"}[p] }

// Slot is the place of one worker. The ring outlives the process until the next one's is attached:
// what it published may still be played.
type Slot struct {
	Number     int
	Generation uint64
	Phase      Phase
	Since      time.Time // of the phase

	launch.Worker
	Ring     *shm.Segment    // which the callback reads
	Attached bool            // the audio process has the ring
	Begin    SnapshotRequest // for the state that the worker begins with

	Condition
	Detected int64  // when its end was detected, sys.Monotonic
	Epoch    uint64 // of the active word after its end
	Retired  Retired
	Progress Progress
	Compared uint64 // hashes are compared up to this block
}

// Condition is the part of a Slot that a new process resets.
type Condition struct {
	Requested uint64 // number of the last snapshot that was requested
	Agreed    int    // blocks found equal to the active worker's
	SeenAlive bool   // its liveness word has been seen set: without, a process that has not begun looks like one that has ended
	Exiting   bool   // its liveness word says that it ended; its process has not been reaped
	Flipped   bool   // another worker became active because of that
	KilledAt  int64  // when Kill sent it a signal, sys.Monotonic; 0: it did not
	Condemned bool   // the engine kills it; commands no longer reach it
	Reason    string // of that
}

// Retired is what the last worker of a slot left.
type Retired struct {
	Head       uint64 // its published head
	Generation uint64
	Refused    uint64 // the last generation whose ring the audio process does not play
}

// Progress is what a worker has published.
type Progress struct {
	Head uint64
	At   time.Time // when Head last moved, or did not need to
}

// Fed reports whether the command ring gets every command.
func (s *Slot) Fed() bool { return (s.Phase == Joining || s.Phase == Ready) && !s.Exiting }

// Donates reports whether the worker can give a snapshot.
func (s *Slot) Donates() bool { return s.Phase == Ready && !s.Condemned && !s.Exiting }

// NoteLiveness records that the process has begun.
func (s *Slot) NoteLiveness() {
	s.SeenAlive = s.SeenAlive || s.Fed() && s.Commands.Liveness().Load() != 0
}

// Enter begins a phase.
func (s *Slot) Enter(p Phase, now time.Time) {
	s.Phase, s.Since, s.Progress.At = p, now, now
}

// Kill ends the process. The watcher reaps it.
func (s *Slot) Kill() { _ = s.Process.Signal(syscall.SIGKILL) }

// PlayedOut reports whether the ring of the slot's last worker is done with: the clock has reached
// its head, nothing plays, or the audio process refused the ring.
func (s *Slot) PlayedOut(c shm.Control) bool {
	return c.Clock() >= s.Retired.Head || c.Transport() == shm.Idle ||
		s.Retired.Refused != 0 && s.Retired.Refused == s.Retired.Generation
}

// Stalled reports whether the worker has published nothing for the limit, though it could. head is
// what it has published. idle means that the worker has nothing to do.
func (s *Slot) Stalled(head uint64, idle bool, now time.Time, limit time.Duration) bool {
	if moved := head != s.Progress.Head; moved || idle {
		if moved && s.KilledAt != 0 && sys.Monotonic()-s.KilledAt > int64(limit) {
			s.KilledAt = 0 // Kill stopped it, and a signal made it continue
		}
		s.Progress = Progress{head, now}
		return false
	}
	return now.Sub(s.Progress.At) > limit
}

// Reap reaps the process. ok is false if it has not ended.
func (s *Slot) Reap() (exit sys.Exit, ok bool) {
	exit, ok, err := s.Process.Reap()
	return exit, ok || err != nil
}

// Clear empties the slot of a worker that was reaped. Its ring stays.
func (s *Slot) Clear(j shm.Journal, now time.Time) {
	if s.Ring != nil {
		h := j.Head(s.Number)
		s.Retired.Head, s.Retired.Generation = 0, s.Generation
		if _, gen := s.Ring.Slot(); h.Of(gen) { // else the worker published nothing
			s.Retired.Head = h.Published()
		}
	}
	_ = s.Process.Close()
	s.Release()
	s.Exiting = false
	s.Enter(Empty, now)
}

// Classify returns how the process ended. Clear comes after it.
func (s *Slot) Classify(j shm.Journal, exit sys.Exit) fault.Crash {
	c := fault.Classify(j.Status(s.Number), s.Generation, exit)
	c.NoLoad = fault.ExitedByItself(exit) && !j.Head(s.Number).Of(s.Generation)
	return c
}

// Cause describes why the process ended.
func (s *Slot) Cause(j shm.Journal, exit sys.Exit) string {
	cause := fault.Cause(j.Status(s.Number), s.Generation, exit)
	if s.Condemned {
		return s.Reason + ", killed by the engine"
	}
	return cause
}

// FaultWorker describes the process for the record of failovers.
func (s *Slot) FaultWorker() fault.Worker {
	return fault.Worker{Slot: s.Number, Generation: s.Generation, PID: s.Process.PID, KilledAt: s.KilledAt, Condemned: s.Condemned}
}

// Status describes the slot.
func (s *Slot) Status(mem memory.Memory, a shm.Active, clock uint64) report.WorkerStatus {
	w := report.WorkerStatus{
		Slot: s.Number, Generation: s.Generation, State: s.Phase.String(), Ready: a.Ready(s.Number),
		Published: mem.Journal.Published(s.Number),
	}
	w.Lead = int64(w.Published) - int64(clock)
	if s.Phase != Empty {
		w.PID = s.Process.PID
	}
	return w
}
