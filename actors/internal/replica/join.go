package replica

import (
	"slices"
	"time"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// updateStarting lets a process go once its initial state is there, and the callback has done with
// the ring before.
func (r *Set) updateStarting(s *slots.Slot, now time.Time) {
	if limit := r.cfg.Timeouts.Start; now.Sub(s.Since) > limit {
		r.condemn(s, "not started within "+limit.String())
		return
	}
	if s.Begin.Poll(now, r.cfg.Timeouts.Snapshot) {
		s.Begin = r.requestState(s, s.Begin.Donor, now)
	}
	if !s.Begin.Done || !s.PlayedOut(r.mem.Control) || r.fault.Unresolved() {
		return
	}
	if _, ok := r.log.After(s.Begin.State.Seq); !ok { // two checkpoints were taken meanwhile
		if s.Begin = r.requestState(s, nil, now); r.logGap() && !slices.ContainsFunc(r.slots, (*slots.Slot).Fed) {
			r.restartPlan()
		}
		return
	}
	if err := r.letGo(s, now); err != nil {
		r.obs.Event(report.WorkerFailed{Slot: s.Number, PID: s.Process.PID, Err: err})
		r.condemn(s, err.Error())
	}
}

// letGo gives the process its state, hands its ring to the callback, and lets it render.
func (r *Set) letGo(s *slots.Slot, now time.Time) error {
	if err := s.Fill(&r.log); err != nil {
		return err
	}
	r.attach(s)
	s.Enter(slots.Joining, now)
	s.Commands.Start()
	r.mem.Control.Wake()
	return nil
}

// attach hands the slot's ring to the audio process, unless it has it. If that is not possible yet,
// a joiner tries again at each tick, and a new device gets all rings.
func (r *Set) attach(s *slots.Slot) {
	if !s.Attached && s.Ring != nil {
		s.Attached = r.out.Attach(s.Ring)
	}
}

// updateJoining makes a joiner ready once it is within one block of the active worker, its sound is
// the same, and the clock has reached its first block. If no living worker is ready, the furthest
// joiner becomes active before that.
func (r *Set) updateJoining(s *slots.Slot, now time.Time) {
	head := r.mem.Journal.Head(s.Number)
	if s.Condemned || !head.Of(s.Generation) || s.Commands.Liveness().Load() == 0 {
		return
	}
	r.attach(s)
	if err := s.Feed(&r.log); err != nil {
		r.condemn(s, err.Error())
	}
	if s.Commands.Tail() != r.log.Last() {
		return
	}
	a := r.mem.Control.Active()
	lead := r.slots[a.Slot()]
	if lead != s && a.ReadyCount() == 0 && !lead.Fed() && r.mem.Control.Transport() == shm.Play {
		r.activateJoiner(a)
		return
	}
	if lead != s && !r.inStep(s, lead, head) {
		return
	}
	if r.mem.Control.Clock() < s.Begin.State.Block || head.Published() <= s.Begin.State.Block {
		return
	}
	if r.mem.Control.Transport() == shm.Play && r.mem.Control.Mapped(s.Number) != s.Generation {
		return // also without an audio process: the next one may refuse the ring
	}
	for old := a; !r.mem.Control.Swap(old, old.WithReady(s.Number)); {
		old = r.mem.Control.Active()
	}
	r.becomeReady(s, now)
}

// inStep compares a joiner with the active worker, and reports whether it may become ready.
func (r *Set) inStep(s, active *slots.Slot, head shm.Head) bool {
	differs, agree := r.compare(s)
	s.Agreed += agree
	switch {
	case r.divergence != nil:
		r.witness(s, differs, agree)
	case differs:
		r.replaceDiverged(s, s.Compared)
	}
	return head.Published()+1 >= r.mem.Journal.Published(active.Number) && s.Agreed > 0 && !s.Condemned
}

// becomeReady records that a worker is ready.
func (r *Set) becomeReady(s *slots.Slot, now time.Time) {
	s.Enter(slots.Ready, now)
	r.checkpoint.soon = r.checkpoint.soon || s.Begin.Donor == nil // it began from the checkpoint, which is old by now
	r.fault.WorkerReady()
	go r.startSpare()
	if r.mem.Control.Active().ReadyCount() >= len(r.slots) {
		r.failovers.AllReady(sys.Monotonic())
	}
	r.obs.Event(report.WorkerReady{Slot: s.Number, PID: s.Process.PID, Generation: s.Generation, Block: s.Begin.State.Block})
}

// activateJoiner makes the furthest joiner active: no ready worker is left.
func (r *Set) activateJoiner(a shm.Active) {
	if best := r.slots.FurthestJoiner(nil, r.mem.Journal); best != nil && best.Number != a.Slot() {
		r.mem.Control.Swap(a, a.WithActive(best.Number))
		r.noticeFlip()
	}
}
