package replica

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm/sys"
)

var errNoSuccessor = errors.New("no other worker is ready to be heard: wait until all are")

// Flip makes another worker active, as a failover would. The flip is inaudible.
func (r *Set) Flip() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.closed || r.life.stopping {
		return ErrStopped
	}
	block := int(r.mem.Geometry.Block)
	call := uint64(max(1, (r.out.Period()+block-1)/block))
	for {
		a := r.mem.Control.Active()
		head := r.mem.Journal.Published(a.Slot())
		// The successor may be one call behind: a standby sleeps from call to call, as the audio process
		// allows for too.
		to, ok := a.Successor(a.Slot(), len(r.slots), head-min(head, call), r.mem.Journal.Published)
		if !ok || r.slots[to].Phase != slots.Ready || r.slots[to].KilledAt != 0 {
			return errNoSuccessor
		}
		next := a.WithActive(to)
		r.flipEpoch = next.Epoch()
		if r.mem.Control.Swap(a, next) {
			r.noticeFlip()
			return nil
		}
		r.flipEpoch = 0
	}
}

// Kill sends sig to the active worker, and records the time, so that the failover is measured from
// the signal and not from its detection. Kill is refused while not every worker is ready.
func (r *Set) Kill(sig syscall.Signal) (report.Killed, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.closed {
		return report.Killed{}, ErrStopped
	}
	a := r.mem.Control.Active()
	if a.ReadyCount() < len(r.slots) {
		return report.Killed{}, fmt.Errorf("%d of %d workers are ready: wait for the others", a.ReadyCount(), len(r.slots))
	}
	s := r.slots[a.Slot()]
	if s.KilledAt != 0 {
		return report.Killed{}, fmt.Errorf("worker %d was sent a signal already", s.Number)
	}
	at := sys.Monotonic()
	if err := s.Process.Signal(sig); err != nil {
		return report.Killed{}, err
	}
	s.KilledAt = at
	return report.Killed{Slot: s.Number, Generation: s.Generation, PID: s.Process.PID, At: at}, nil
}
