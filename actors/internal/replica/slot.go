package replica

import (
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/shm"
)

// phase is how far the process of a slot has come.
type phase int

const (
	empty    phase = iota // no process
	starting              // spawned, not yet let go
	joining               // catching up with the active worker
	ready                 // may become active
)

// String names the phase as status shows it.
func (p phase) String() string { return [...]string{"empty", "starting", "joining", "ready"}[p] }

// slot is the place of one worker, with its process and that process's segments. The ring outlives
// the process until the next one's is attached: what it published may still be played.
type slot struct {
	number int
	gen    uint64
	phase  phase
	since  time.Time // of the phase

	launch.Worker
	ring     *shm.Segment    // which the callback reads
	attached bool            // the audio process has the ring
	begin    snapshotRequest // for the state that the worker begins with

	condition
	detected int64  // when its end was detected, sys.Monotonic
	epoch    uint64 // of the active word after its end
	retired  retired
	progress progress
	compared uint64 // hashes are compared up to this block
}

// condition is the part of a slot that a new process resets.
type condition struct {
	requested uint64 // number of the last snapshot that was requested
	agreed    int    // blocks found equal to the active worker's
	seenAlive bool   // its liveness word has been seen set: without, a process that has not begun looks like one that has ended
	exiting   bool   // its liveness word says that it ended; its process has not been reaped
	flipped   bool   // another worker became active because of that
	killedAt  int64  // when Kill sent it a signal, sys.Monotonic; 0: it did not
	condemned bool   // the engine kills it; commands no longer reach it
	reason    string // of that
}

// retired is what the last worker of a slot left.
type retired struct {
	head    uint64 // its published head
	gen     uint64
	refused uint64 // the last generation whose ring the audio process does not play
}

// progress is what a worker has published.
type progress struct {
	head uint64
	at   time.Time // when head last moved, or did not need to
}

// fed reports whether the slot's command ring gets every command.
func (s *slot) fed() bool { return (s.phase == joining || s.phase == ready) && !s.exiting }

// noteLiveness records that the process has begun.
func (s *slot) noteLiveness() {
	s.seenAlive = s.seenAlive || s.fed() && s.Commands.Liveness().Load() != 0
}

func (s *slot) enter(p phase, now time.Time) {
	s.phase, s.since, s.progress.at = p, now, now
}

// kill ends the slot's process. The watcher reaps it.
func (s *slot) kill() { _ = s.Process.Signal(syscall.SIGKILL) }

// worker describes the slot's process for the record of failovers.
func (s *slot) worker() fault.Worker {
	return fault.Worker{Slot: s.number, Generation: s.gen, PID: s.Process.PID, KilledAt: s.killedAt, Condemned: s.condemned}
}
