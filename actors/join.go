package actors

import (
	"errors"
	"slices"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// askPatience is how long a worker may take to give a snapshot before another is asked.
const askPatience = 100 * time.Millisecond

var errStateTooOld = errors.New("commands since its state are gone")

// A snapshot, from which all workers can begin again, is kept every keepEvery: after a common death
// they render what has been played since. Snapshots above keepSmall bytes cost more, and are kept
// every keepLarge.
const (
	keepEvery = 150 * time.Millisecond
	keepLarge = time.Second
	keepSmall = 1 << 20
)

// logTime is how long a command stays in the log at the least: for tapes, and for slow joiners.
const logTime = time.Second

// askForState asks a ready worker, other than s and not avoid, for its state. A standby is asked
// before the active worker; if there is nobody, or nothing has been played yet, the kept snapshot serves: who
// began where a ready worker is would be ready only when the clock had come there.
func (r *rig) askForState(s, avoid *slot, now time.Time) ask {
	active := r.control.Active().Slot()
	var giver *slot
	for i := 1; i <= len(r.slots) && giver == nil && r.control.Transport() != shm.Idle && r.doubt == nil; i++ {
		g := r.slots[(active+i)%len(r.slots)]
		if g != s && g != avoid && g.phase == ready && !g.condemned && !g.dying {
			giver = g
		}
	}
	if giver == nil {
		return ask{state: r.kept.State, done: true}
	}
	if _, answered, _ := giver.snaps.Copy(giver.asked); answered || giver.asked == 0 {
		giver.asked++ // else the one that is under way serves both who asked
	}
	giver.cmds.RequestSnapshot(giver.asked)
	r.control.Wake()
	return ask{giver: giver, gen: giver.gen, number: giver.asked, since: now}
}

// settle looks whether the snapshot has arrived. failed: this giver will not give it.
func (a *ask) settle(now time.Time) (failed bool) {
	if a.done {
		return false
	}
	if a.giver.gen != a.gen || a.giver.phase != ready || a.giver.dying {
		return true
	}
	st, ok, err := a.giver.snaps.Copy(a.number)
	if err != nil {
		return true
	}
	if ok {
		a.state, a.done = st, true
		return false
	}
	return now.Sub(a.since) > askPatience
}

// tendStarting lets a process go once its state is there and the callback has done with the
// ring before: until the clock has reached the old head, that may still be played.
func (r *rig) tendStarting(s *slot, now time.Time) {
	if now.Sub(s.since) > startLimit {
		r.condemn(s, "not started within "+startLimit.String())
		return
	}
	if s.want.settle(now) {
		s.want = r.askForState(s, s.want.giver, now)
	}
	if !s.want.done || !r.playedOut(s) || r.undecided() {
		return
	}
	if _, ok := r.log.After(s.want.state.Seq); !ok { // it took so long to start that two snapshots were kept meanwhile
		if s.want = r.askForState(s, nil, now); r.bereft() && !slices.ContainsFunc(r.slots, (*slot).attached) {
			r.beginAnew()
		}
		return
	}
	if err := r.attach(s, now); err != nil {
		r.emit(report.WorkerFailed{Slot: s.number, PID: s.proc.PID, Err: err})
		r.condemn(s, err.Error())
	}
}

// playedOut tells whether the ring of the slot's last worker is done with: the clock has reached its
// head, nothing plays, or the audio process refused the ring.
func (r *rig) playedOut(s *slot) bool {
	return r.control.Clock() >= s.retired || r.control.Transport() == shm.Idle || s.refused != 0 && s.refused == s.retiredGen
}

// attach seeds the process, fills its command ring, hands its ring to the callback, and lets it go.
func (r *rig) attach(s *slot, now time.Time) error {
	st := s.want.state
	if err := s.seed.Fill(st); err != nil {
		return err
	}
	s.cmds.Begin(st.Seq)
	if err := r.feed(s); err != nil {
		return err
	}
	closeSegment(&s.ring)
	s.ring, s.next = s.next, nil
	s.want.state.Bytes = nil
	s.compared, s.progress = st.Block, st.Block
	s.handed = false
	r.handRing(s)
	s.enter(joining, now)
	s.cmds.Start()
	r.control.Wake()
	return nil
}

// feed puts into the ring of s the commands that it lacks, as many as it has room for: since the kept snapshot there
// may be more than a ring holds.
func (r *rig) feed(s *slot) error {
	missing, ok := r.log.After(s.cmds.Tail())
	if !ok {
		return errStateTooOld
	}
	return s.cmds.Put(missing[:r.log.Fits(len(missing), s.cmds.Room())]...)
}

// tendJoining makes a joiner ready once it is within one block of the active worker, its
// sound is the same, and the clock has reached its first block. If nobody lives that is ready, the
// furthest joiner is named before that.
func (r *rig) tendJoining(s *slot, now time.Time) {
	head := r.journal.Head(s.number)
	if s.condemned || !head.Of(s.gen) || s.cmds.Liveness().Load() == 0 {
		return
	}
	r.handRing(s)
	if err := r.feed(s); err != nil {
		r.condemn(s, err.Error())
	}
	if s.cmds.Tail() != r.log.Last() {
		return // it takes what there is
	}
	a := r.control.Active()
	lead := r.slots[a.Slot()]
	if lead != s && a.ReadyCount() == 0 && !lead.attached() && r.control.Transport() == shm.Play {
		r.nameJoiner(a)
		return
	}
	if lead != s {
		differs, agree := r.compare(s)
		s.agreed += agree
		switch {
		case r.doubt != nil:
			r.witness(s, differs, agree)
		case differs:
			r.replaceDiverged(s, s.compared)
		}
		if head.Published()+1 < r.journal.Published(lead.number) || s.agreed == 0 || s.condemned {
			return
		}
	}
	if r.control.Clock() < s.want.state.Block || head.Published() <= s.want.state.Block {
		return
	}
	if r.control.Transport() == shm.Play && r.control.Mapped(s.number) != s.gen {
		return // without an audio process too: the next one may refuse the ring
	}
	for old := a; !r.control.Swap(old, old.WithReady(s.number)); {
		old = r.control.Active()
	}
	s.enter(ready, now)
	r.keepSoon = r.keepSoon || s.want.giver == nil // it began from the kept snapshot, which is old by now
	r.poison.young, r.poison.early = 0, 0
	go r.restock()
	r.history.redundant(r)
	r.emit(report.WorkerReady{Slot: s.number, PID: s.proc.PID, Generation: s.gen, Block: s.want.state.Block})
}

// nameJoiner makes the furthest joiner active when no ready worker is left.
func (r *rig) nameJoiner(a shm.Active) {
	if best := r.furthestJoiner(nil); best != nil && best.number != a.Slot() {
		r.control.Swap(a, a.WithActive(best.number))
		r.noticeFlip()
	}
}

// keep takes a snapshot every second, from which all workers can begin again after a common death.
func (r *rig) keep(now time.Time) {
	k := &r.keeping
	if k.giver == nil || k.done {
		every := keepEvery
		if len(r.kept.Bytes) > keepSmall {
			every = keepLarge
		}
		if (r.keepSoon || now.Sub(k.since) >= every) && r.control.Transport() == shm.Play && r.doubt == nil {
			*k = r.askForState(nil, nil, now)
			k.since, r.keepSoon = now, false
		}
		return
	}
	if k.settle(now) {
		// Another at once, as for a joiner: in a second this one may hang still.
		if *k = r.askForState(nil, k.giver, now); k.done {
			k.since = now
		}
		return
	}
	if k.done && k.state.Block > r.kept.Block && r.doubt == nil {
		r.keepState(k.state, now)
	}
}

// keepState keeps st, and of the commands those since a state that was kept logTime ago.
func (r *rig) keepState(st shm.State, now time.Time) {
	if now.Sub(r.trimmed.at) >= logTime {
		r.log.Trim(min(r.spent(), r.trimmed.kept))
		r.trimmed.at, r.trimmed.kept = now, r.kept.Seq
	}
	if st.Plan != r.kept.Plan {
		text, err := r.textOf(st.Plan)
		if err != nil {
			r.emit(report.SaveFailed{What: "snapshot", Err: err})
			return
		}
		r.kept.Text = text
	}
	if st.Plan != r.present.number && st.Seq >= r.present.seq {
		r.revert(st.Plan, false)
	}
	r.kept.State = st
	if err := r.store.Put(r.kept); err != nil {
		r.emit(report.SaveFailed{What: "snapshot", Err: err})
	}
}

// spent is the last command that nobody needs any more: nobody who begins with the kept snapshot, and no joiner that is still being fed.
func (r *rig) spent() uint64 {
	seq := r.kept.Seq
	for _, s := range r.slots {
		if s.phase == joining && !s.condemned {
			seq = min(seq, s.cmds.Tail())
		}
	}
	return seq
}
