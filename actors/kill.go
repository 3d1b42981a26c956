package actors

import (
	"fmt"
	"syscall"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm/sys"
)

// Kill sends sig to the worker that is heard, and notes the time, so that the failover is measured
// from the kill and not from its notice. It is refused while not every replica is ready.
func (e *Engine) Kill(sig syscall.Signal) (report.Killed, error) { return e.rig.killActive(sig) }

// killActive sends sig to the active worker.
func (r *rig) killActive(sig syscall.Signal) (report.Killed, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return report.Killed{}, errStopped
	}
	a := r.control.Active()
	if a.ReadyCount() < len(r.slots) {
		return report.Killed{}, fmt.Errorf("%d of %d workers are ready: wait for the others", a.ReadyCount(), len(r.slots))
	}
	s := r.slots[a.Slot()]
	if s.killedAt != 0 {
		return report.Killed{}, fmt.Errorf("worker %d was sent a signal already", s.number)
	}
	at := sys.Monotonic()
	if err := s.proc.Signal(sig); err != nil {
		return report.Killed{}, err
	}
	s.killedAt = at
	return report.Killed{Slot: s.number, Generation: s.gen, PID: s.proc.PID, At: at}, nil
}
