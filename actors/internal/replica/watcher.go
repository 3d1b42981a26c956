package replica

import (
	"math/rand/v2"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// The time between two ticks of the Watcher. The end of a process wakes it at once.
const (
	busyTick = 500 * time.Microsecond // while a worker starts, joins or ends
	idleTick = 5 * time.Millisecond
)

// Watcher polls the pidfds, reaps processes that have ended, flips if the audio process has not done
// so, and moves joining workers on. It is a goroutine and not an actor: the lead is at stake, and a
// mailbox has no priorities.
type Watcher struct {
	set    *Set
	sample func()
	quit   chan struct{}
	done   chan struct{}
}

// StartWatcher starts a Watcher. It calls sample, unless nil, at each tick.
func StartWatcher(r *Set, sample func()) *Watcher {
	w := &Watcher{set: r, sample: sample, quit: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// Stop ends the Watcher and waits for it.
func (w *Watcher) Stop() {
	close(w.quit)
	<-w.done
}

func (w *Watcher) run() {
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
		fds, tick = w.set.watched(fds[:0])
		// The ticks vary: at an even pace, all could come just before the clock moves.
		scratch = sys.Poll(fds, scratch, tick+rand.N(tick/4))
		if w.sample != nil {
			w.sample()
		}
		now := time.Now()
		for _, f := range fds {
			if f.Ready {
				w.set.reap(f.FD, now)
			}
		}
		w.set.tick(now)
	}
}

// watched appends the pidfds of the living processes, and returns how long to wait for one to end.
func (r *Set) watched(fds []sys.PollFD) ([]sys.PollFD, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tick := idleTick
	for _, s := range r.slots {
		if s.phase != empty {
			fds = append(fds, sys.PollFD{FD: s.Process.FD})
		}
		if s.phase != ready || s.exiting {
			tick = busyTick
		}
	}
	for _, p := range append(r.pool.Processes(), r.out.Processes()...) {
		fds = append(fds, sys.PollFD{FD: p.FD})
	}
	return fds, tick
}

// reap handles the end of the process with that pidfd. It is the one place where the generation of
// a slot ends.
func (r *Set) reap(fd int, now time.Time) {
	r.mu.Lock()
	exit, ended := r.reapLocked(fd, now)
	r.mu.Unlock()
	if ended {
		r.obs.WorkerEnded(exit)
	}
}

func (r *Set) reapLocked(fd int, now time.Time) (exit Exit, ended bool) {
	for _, s := range r.slots {
		if s.phase != empty && s.Process.FD == fd {
			return r.reapWorker(s, now)
		}
	}
	r.pool.Reap(fd)
	if r.out.Reap(fd, now) {
		r.deviceOpened()
	}
	return Exit{}, false
}

// reapWorker records the cause of a worker's end, and flips if that has not been done.
func (r *Set) reapWorker(s *slot, now time.Time) (e Exit, ended bool) {
	exit, ok, err := s.Process.Reap()
	if err == nil && !ok {
		return Exit{}, false
	}
	cause, detail := shm.CauseExit, uint32(exit.Code)
	if exit.Signal != 0 {
		cause, detail = shm.CauseSignal, uint32(exit.Signal)
	}
	r.mem.Journal.SetCause(s.number, s.gen, cause, detail)
	if !s.exiting {
		s.exiting, s.detected = true, sys.Monotonic()
		r.remove(s)
	}
	crash := r.classify(s, exit)
	e = Exit{Slot: s.number, NeverReady: s.phase != ready}
	r.recordEnd(s, exit)
	if s.ring != nil {
		s.retired.head, s.retired.gen = r.mem.Journal.Published(s.number), s.gen
	}
	_ = s.Process.Close()
	s.Release()
	s.exiting = false
	s.enter(empty, now)
	r.afterEnd(crash)
	return e, true
}

// remove clears the slot's ready bit. If it was active, another ready worker becomes active, in one
// CAS. If none is ready, the furthest joiner does.
func (r *Set) remove(s *slot) {
	r.mem.Control.RemoveWorker(s.number, r.mem.Journal)
	if a := r.mem.Control.Active(); a.Slot() == s.number {
		if j := r.furthestJoiner(s); j != nil {
			r.mem.Control.Swap(a, a.WithActive(j.number))
		}
	}
	r.noticeFlip()
}

// HandleNotice handles a notice of the audio process of a generation.
func (r *Set) HandleNotice(generation uint64, n wire.Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	opened, refused := r.out.Notice(generation, n)
	if opened {
		r.deviceOpened()
	}
	if refused != nil {
		r.replaceRefused(*refused)
	}
}

// deviceOpened attaches all rings to a new device.
func (r *Set) deviceOpened() {
	for _, s := range r.slots {
		s.attached = false
		r.attach(s)
	}
	r.out.Opened()
}

// replaceRefused replaces the worker whose ring the audio process cannot play. The slot's next
// worker need not wait until the ring's blocks are played: they never are.
func (r *Set) replaceRefused(n wire.Refused) {
	if n.Slot < 0 || n.Slot >= len(r.slots) {
		return
	}
	s := r.slots[n.Slot]
	s.retired.refused = n.Generation
	if s.fed() && s.gen == n.Generation {
		r.dismiss(s, "ring refused by the audio process: "+n.Reason)
	}
}
