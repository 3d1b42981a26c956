package actors

import (
	"errors"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

var (
	errRingsFull = errors.New("the workers are too far behind to take it: try again")
	errReplanned = errors.New("another patch plays by now: send it again")
	errLogFull   = errors.New("too many commands while no worker runs: try again")
)

// broadcast enters one command of the present plan; asker may be nil. The rig is locked.
func (r *rig) broadcast(c shm.Command, asker commandlog.Requester) (seq uint64, err error) {
	in, err := r.put([]commandlog.Request{{Commands: []shm.Command{c}, Requester: asker}})
	return in.last, err
}

// giveUp kills a worker that holds the others up. It is not fed any more.
func (r *rig) giveUp(s *slot, why string) {
	if s.hung {
		return
	}
	if !r.isStopped(s) {
		r.journal.SetCause(s.number, s.gen, shm.CauseHung, 0) // of its own, if it was rendering
	}
	r.dismiss(s, why)
}

// dismiss kills a worker that has done nothing wrong: the block that it renders is not blamed.
func (r *rig) dismiss(s *slot, why string) {
	if s.hung {
		return
	}
	s.hung = true
	r.emit(report.WorkerKilled{Slot: s.number, PID: s.proc.PID, Reason: why})
	s.kill()
}
