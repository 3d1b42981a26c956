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

// condemn kills a worker because of what it does or fails to do. The block that it renders, if any, is
// recorded as crashed by it. A failover's cause is the reason,
// then ", killed by the engine".
func (r *rig) condemn(s *slot, reason string) {
	if s.condemned {
		return
	}
	if !r.isStopped(s) {
		r.journal.SetCause(s.number, s.gen, shm.CauseHung, 0) // of its own, if it was rendering
	}
	r.dismiss(s, reason)
}

// dismiss kills a worker that did nothing wrong: no crash is recorded for the block that it renders.
func (r *rig) dismiss(s *slot, reason string) {
	if s.condemned {
		return
	}
	s.condemned, s.reason = true, reason
	r.emit(report.WorkerKilled{Slot: s.number, PID: s.proc.PID, Reason: reason})
	s.kill()
}
