package actors

import (
	"fmt"
	"syscall"

	"github.com/music-chronus/chronus/shm/sys"
)

// Killed is a process that Kill sent a signal to.
type Killed struct {
	Slot       int    `json:"slot"`
	Generation uint64 `json:"generation"`
	PID        int    `json:"pid"`
	At         int64  `json:"at"` // CLOCK_MONOTONIC, ns
}

// Kill sends sig to the worker that is heard, and notes the time, so that the failover is measured
// from the kill and not from its notice. It is refused while not every replica is ready.
func (e *Engine) Kill(sig syscall.Signal) (Killed, error) { return e.rig.killActive(sig) }

// killActive sends sig to the active worker.
func (r *rig) killActive(sig syscall.Signal) (Killed, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return Killed{}, errStopped
	}
	a := r.control.Active()
	if a.ReadyCount() < len(r.slots) {
		return Killed{}, fmt.Errorf("%d of %d workers are ready: wait for the others", a.ReadyCount(), len(r.slots))
	}
	s := r.slots[a.Slot()]
	if s.killedAt != 0 {
		return Killed{}, fmt.Errorf("worker %d was sent a signal already", s.number)
	}
	at := sys.Monotonic()
	if err := s.proc.Signal(sig); err != nil {
		return Killed{}, err
	}
	s.killedAt = at
	return Killed{s.number, s.gen, s.proc.PID, at}, nil
}
