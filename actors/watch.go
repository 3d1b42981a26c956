package actors

import (
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

const killSignal = syscall.SIGKILL

// The watcher looks after joiners, and hangs, this often; deaths wake it at once.
const (
	busyTick = 500 * time.Microsecond
	idleTick = 5 * time.Millisecond
)

// hangAfter is how long a worker may publish nothing though it could: long after the
// callback has flipped away from it, short enough to be redundant again soon.
const hangAfter = 200 * time.Millisecond

// joinAfter is the same for a joiner, whose process may still be starting on a busy machine.
const joinAfter = 3 * time.Second

// startLimit is how long a process may take from its start to its first block.
const startLimit = 10 * time.Second

// corpse is a process that has ended.
type corpse struct {
	slot  int // -1: the audio process
	gen   uint64
	exit  sys.Exit
	young bool // it never became ready
}

// watcher is the supervisor's hand: it waits for processes to end, flips if the audio process has not done so,
// and moves joiners on. It is not an actor, since what is at stake is the lead, and mailboxes have no order of urgency.
type watcher struct {
	rig  *rig
	quit chan struct{}
	done chan struct{}
}

func startWatcher(r *rig) *watcher {
	w := &watcher{rig: r, quit: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// stop ends the watcher and waits for it.
func (w *watcher) stop() {
	close(w.quit)
	<-w.done
}

func (w *watcher) run() {
	defer close(w.done)
	var (
		fds     []sys.PollFD
		scratch sys.PollScratch
		tick    time.Duration
	)
	for {
		select {
		case <-w.quit:
			return
		default:
		}
		fds, tick = w.rig.watched(fds[:0])
		// A little differently each time: looks at an even pace could all come just before the clock moves.
		scratch = sys.Poll(fds, scratch, tick+rand.N(tick/4))
		if w.rig.sampleClock != nil {
			w.rig.sampleClock()
		}
		now := time.Now()
		for _, f := range fds {
			if f.Ready {
				w.rig.died(f.FD, now)
			}
		}
		w.rig.tend(now)
	}
}

// watched lists the processes that have not ended, and says how long to wait for one of them to.
func (r *rig) watched(fds []sys.PollFD) ([]sys.PollFD, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tick := idleTick
	for _, s := range r.slots {
		if s.phase != empty {
			fds = append(fds, sys.PollFD{FD: s.proc.FD})
		}
		if s.phase != ready || s.dying {
			tick = busyTick
		}
	}
	if r.spare != nil {
		fds = append(fds, sys.PollFD{FD: r.spare.proc.FD})
	}
	if r.audio.running {
		fds = append(fds, sys.PollFD{FD: r.audio.proc.FD})
	}
	for _, a := range []*audioProcess{&r.next, &r.spareAudio} {
		if a.running {
			fds = append(fds, sys.PollFD{FD: a.proc.FD})
		}
	}
	return fds, tick
}

// died handles the end of the process whose descriptor became readable: the one place where a
// generation dies.
func (r *rig) died(fd int, now time.Time) {
	r.mu.Lock()
	dead, ok := r.bury(fd, now)
	tell := r.ended
	r.mu.Unlock()
	if ok {
		tell(dead)
	}
}

func (r *rig) bury(fd int, now time.Time) (corpse, bool) {
	for _, s := range r.slots {
		if s.phase != empty && s.proc.FD == fd {
			return r.buryWorker(s, now)
		}
	}
	switch {
	case r.audio.running && r.audio.proc.FD == fd:
		return r.buryAudio(now)
	case r.next.running && r.next.proc.FD == fd:
		burySilent(&r.next, &r.nextAt, now)
	case r.spareAudio.running && r.spareAudio.proc.FD == fd:
		burySilent(&r.spareAudio, &r.spareAt, now)
	case r.spare != nil && r.spare.proc.FD == fd:
		return r.burySpare()
	}
	return corpse{}, false
}

// buryWorker puts the cause on record, and flips if that has not been done.
func (r *rig) buryWorker(s *slot, now time.Time) (corpse, bool) {
	exit, ok, err := s.proc.Reap()
	if err == nil && !ok {
		return corpse{}, false
	}
	cause, detail := shm.CauseExit, uint32(exit.Code)
	if exit.Signal != 0 {
		cause, detail = shm.CauseSignal, uint32(exit.Signal)
	}
	r.journal.SetCause(s.number, s.gen, cause, detail)
	if !s.dying {
		s.dying, s.detected = true, sys.Monotonic()
		r.depose(s)
	}
	o := r.judge(s, exit)
	c := corpse{slot: s.number, gen: s.gen, exit: exit, young: s.phase != ready}
	r.history.death(r, s, exit)
	if s.ring != nil {
		s.retired, s.retiredGen = r.journal.Published(s.number), s.gen
	}
	_ = s.proc.Close()
	s.release()
	s.dying = false
	s.enter(empty, now)
	r.afterDeath(o)
	return c, true
}

// depose clears the slot's ready bit and, if it was active, flips, in one CAS. If no ready worker is
// left, the joiner that is furthest is named.
func (r *rig) depose(s *slot) {
	r.control.RemoveWorker(s.number, r.journal)
	if a := r.control.Active(); a.Slot() == s.number {
		if j := r.furthestJoiner(s); j != nil {
			r.control.Swap(a, a.WithActive(j.number))
		}
	}
	r.noticeFlip()
}

// furthestJoiner is the joining slot, other than not, with the highest head.
func (r *rig) furthestJoiner(not *slot) (best *slot) {
	for _, s := range r.slots {
		if s == not || s.phase != joining || s.condemned {
			continue
		}
		if best == nil || r.journal.Published(s.number) > r.journal.Published(best.number) {
			best = s
		}
	}
	return best
}

// tend moves every slot on by what has become true since the last look.
func (r *rig) tend(now time.Time) {
	r.mu.Lock()
	r.prime(now)
	begins := !r.plays && r.audio.opened && r.control.Transport() == shm.Play
	r.plays = r.plays || begins
	r.hadFirst = r.hadFirst || r.plays && r.audio.opened && !r.audio.info.OnFallback
	r.tendBlank(now)
	r.tendSuccession(now)
	r.tendSpareAudio(now)
	r.noticeFlip()
	if now.Sub(r.looked) > hangAfter/2 {
		for _, s := range r.slots {
			s.movedAt = now // it was this process that stood still: that says nothing of others
		}
	}
	r.looked = now
	for _, s := range r.slots {
		if s.dying {
			continue
		}
		s.see()
		switch s.phase {
		case starting:
			r.tendStarting(s, now)
		case joining:
			r.tendJoining(s, now)
			r.tendProgress(s, now, joinAfter)
		case ready:
			if !r.control.Active().Ready(s.number) {
				s.enter(joining, now) // its bit was taken: it has died, or was mistaken for one that had
				continue
			}
			r.tendProgress(s, now, hangAfter)
			if differs, _ := r.compare(s); differs {
				r.arbitrate(s)
			}
		}
	}
	r.tendPoison()
	r.tendSound(now)
	r.tendLead(now)
	r.tendMeter(now)
	r.keep(now)
	r.mu.Unlock()
	if begins {
		r.primed()
	}
}

// prime begins the playing once every worker is ready and the active one has its full lead.
func (r *rig) prime(now time.Time) {
	if r.control.Transport() != shm.Idle || !r.audio.opened || r.stopping {
		return
	}
	r.control.Wake() // no callback does it yet
	a := r.control.Active()
	if a.ReadyCount() < len(r.slots) || r.journal.Published(a.Slot()) < r.control.Clock()+r.control.Lead() {
		return
	}
	r.keeping.since = now
	r.control.SetTransport(shm.Play)
	r.startAudio()
}

// noticeFlip puts what has become of active on record: a flip away from a worker that has died, whose
// ready bit is gone, or one that the callback made for want of lead.
func (r *rig) noticeFlip() {
	a, was := r.control.Active(), r.active
	r.active = a
	if a.Slot() == was.Slot() {
		return
	}
	r.history.flips++
	s := r.slots[was.Slot()]
	switch {
	case r.asked == a.Epoch():
		r.emit(report.Flipped{From: s.number, To: a.Slot(), Epoch: a.Epoch(), Cause: "asked for"})
	case a.Ready(s.number):
		r.history.flip(r, s, a)
	case s.dying, s.lived && s.attached() && s.cmds.Liveness().Load() == 0:
		// The audio process may have been first; the kernel still takes the process down.
		at, _ := r.control.FlippedAt(a.Epoch())
		if !s.dying || at < s.detected {
			s.detected = at
		}
		s.dying, s.epoch, s.flipped = true, a.Epoch(), true
	}
}

// tendProgress condemns a worker that could publish but has not done so for limit.
func (r *rig) tendProgress(s *slot, now time.Time, limit time.Duration) {
	head := r.journal.Published(s.number)
	active := r.control.Active().Slot()
	idle := head >= r.control.Clock()+r.control.Lead()
	if active != s.number && r.journal.Published(active) <= head {
		idle = true // it waits for the active worker, as it should
	}
	if head != s.progress || idle {
		if head != s.progress && s.killedAt != 0 && sys.Monotonic()-s.killedAt > int64(limit) {
			s.killedAt = 0 // it was stopped, and somebody let it go on
		}
		s.progress, s.movedAt = head, now
		return
	}
	if now.Sub(s.movedAt) > limit {
		r.condemn(s, "hung, nothing published for "+limit.String())
	}
}
