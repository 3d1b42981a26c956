package replica

import (
	"errors"
	"slices"
	"time"

	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

var errStateTooOld = errors.New("commands since its state are gone")

// updateStarting lets a process go once its initial state is there, and the callback has done with
// the ring before.
func (r *Set) updateStarting(s *slot, now time.Time) {
	if limit := r.cfg.Timeouts.Start; now.Sub(s.since) > limit {
		r.condemn(s, "not started within "+limit.String())
		return
	}
	if s.begin.poll(now, r.cfg.Timeouts.Snapshot) {
		s.begin = r.requestState(s, s.begin.donor, now)
	}
	if !s.begin.done || !r.playedOut(s) || r.fault.Unresolved() {
		return
	}
	if _, ok := r.log.After(s.begin.state.Seq); !ok { // two checkpoints were taken meanwhile
		if s.begin = r.requestState(s, nil, now); r.logGap() && !slices.ContainsFunc(r.slots, (*slot).fed) {
			r.restartPlan()
		}
		return
	}
	if err := r.letGo(s, now); err != nil {
		r.obs.Event(report.WorkerFailed{Slot: s.number, PID: s.Process.PID, Err: err})
		r.condemn(s, err.Error())
	}
}

// playedOut reports whether the ring of the slot's last worker is done with: the clock has reached
// its head, nothing plays, or the audio process refused the ring.
func (r *Set) playedOut(s *slot) bool {
	return r.mem.Control.Clock() >= s.retired.head || r.mem.Control.Transport() == shm.Idle ||
		s.retired.refused != 0 && s.retired.refused == s.retired.gen
}

// letGo gives the process its initial state and its commands, hands its ring to the callback, and
// lets it render.
func (r *Set) letGo(s *slot, now time.Time) error {
	st := s.begin.state
	if err := s.State.Fill(st); err != nil {
		return err
	}
	s.Commands.Begin(st.Seq)
	if err := r.feed(s); err != nil {
		return err
	}
	launch.CloseSegment(&s.ring)
	s.ring, s.Next = s.Next, nil
	s.begin.state.Bytes = nil
	s.compared, s.progress.head = st.Block, st.Block
	s.attached = false
	r.attach(s)
	s.enter(joining, now)
	s.Commands.Start()
	r.mem.Control.Wake()
	return nil
}

// attach hands the slot's ring to the audio process, unless it has it. If that is not possible yet,
// a joiner tries again at each tick, and a new device gets all rings.
func (r *Set) attach(s *slot) {
	if !s.attached && s.ring != nil {
		s.attached = r.out.Attach(s.ring)
	}
}

// feed puts the commands that a worker lacks into its ring, as many as it has room for. Since the
// checkpoint there may be more than a ring holds.
func (r *Set) feed(s *slot) error {
	missing, ok := r.log.After(s.Commands.Tail())
	if !ok {
		return errStateTooOld
	}
	return s.Commands.Put(missing[:r.log.Fits(len(missing), s.Commands.Room())]...)
}

// updateJoining makes a joiner ready once it is within one block of the active worker, its sound is
// the same, and the clock has reached its first block. If no living worker is ready, the furthest
// joiner becomes active before that.
func (r *Set) updateJoining(s *slot, now time.Time) {
	head := r.mem.Journal.Head(s.number)
	if s.condemned || !head.Of(s.gen) || s.Commands.Liveness().Load() == 0 {
		return
	}
	r.attach(s)
	if err := r.feed(s); err != nil {
		r.condemn(s, err.Error())
	}
	if s.Commands.Tail() != r.log.Last() {
		return
	}
	a := r.mem.Control.Active()
	lead := r.slots[a.Slot()]
	if lead != s && a.ReadyCount() == 0 && !lead.fed() && r.mem.Control.Transport() == shm.Play {
		r.activateJoiner(a)
		return
	}
	if lead != s && !r.inStep(s, lead, head) {
		return
	}
	if r.mem.Control.Clock() < s.begin.state.Block || head.Published() <= s.begin.state.Block {
		return
	}
	if r.mem.Control.Transport() == shm.Play && r.mem.Control.Mapped(s.number) != s.gen {
		return // also without an audio process: the next one may refuse the ring
	}
	for old := a; !r.mem.Control.Swap(old, old.WithReady(s.number)); {
		old = r.mem.Control.Active()
	}
	r.becomeReady(s, now)
}

// inStep compares a joiner with the active worker, and reports whether it may become ready.
func (r *Set) inStep(s, active *slot, head shm.Head) bool {
	differs, agree := r.compare(s)
	s.agreed += agree
	switch {
	case r.divergence != nil:
		r.witness(s, differs, agree)
	case differs:
		r.replaceDiverged(s, s.compared)
	}
	return head.Published()+1 >= r.mem.Journal.Published(active.number) && s.agreed > 0 && !s.condemned
}

// becomeReady records that a worker is ready.
func (r *Set) becomeReady(s *slot, now time.Time) {
	s.enter(ready, now)
	r.checkpoint.soon = r.checkpoint.soon || s.begin.donor == nil // it began from the checkpoint, which is old by now
	r.fault.WorkerReady()
	go r.startSpare()
	if r.mem.Control.Active().ReadyCount() >= len(r.slots) {
		r.failovers.AllReady(sys.Monotonic())
	}
	r.obs.Event(report.WorkerReady{Slot: s.number, PID: s.Process.PID, Generation: s.gen, Block: s.begin.state.Block})
}

// activateJoiner makes the furthest joiner active: no ready worker is left.
func (r *Set) activateJoiner(a shm.Active) {
	if best := r.furthestJoiner(nil); best != nil && best.number != a.Slot() {
		r.mem.Control.Swap(a, a.WithActive(best.number))
		r.noticeFlip()
	}
}

// furthestJoiner returns the joining slot, other than not, with the highest head; nil: none.
func (r *Set) furthestJoiner(not *slot) (best *slot) {
	for _, s := range r.slots {
		if s == not || s.phase != joining || s.condemned {
			continue
		}
		if best == nil || r.mem.Journal.Published(s.number) > r.mem.Journal.Published(best.number) {
			best = s
		}
	}
	return best
}
