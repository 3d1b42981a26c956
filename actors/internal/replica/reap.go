package replica

import (
	"time"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// Watched implements watcher.Watched.
func (r *Set) Watched(fds []sys.PollFD) (list []sys.PollFD, busy bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.slots {
		if s.Phase != slots.Empty {
			fds = append(fds, sys.PollFD{FD: s.Process.FD})
		}
		busy = busy || s.Phase != slots.Ready || s.Exiting
	}
	for _, p := range append(r.pool.Processes(), r.out.Processes()...) {
		fds = append(fds, sys.PollFD{FD: p.FD})
	}
	return fds, busy
}

// Reap implements watcher.Watched. No other function ends the generation of a slot.
func (r *Set) Reap(fd int, now time.Time) {
	r.mu.Lock()
	exit, ended := r.reapLocked(fd, now)
	r.mu.Unlock()
	if ended {
		r.obs.WorkerEnded(exit)
	}
}

func (r *Set) reapLocked(fd int, now time.Time) (exit Exit, ended bool) {
	for _, s := range r.slots {
		if s.Phase != slots.Empty && s.Process.FD == fd {
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
func (r *Set) reapWorker(s *slots.Slot, now time.Time) (e Exit, ended bool) {
	exit, ok := s.Reap()
	if !ok {
		return Exit{}, false
	}
	cause, detail := shm.CauseExit, uint32(exit.Code)
	if exit.Signal != 0 {
		cause, detail = shm.CauseSignal, uint32(exit.Signal)
	}
	r.mem.Journal.SetCause(s.Number, s.Generation, cause, detail)
	if !s.Exiting {
		s.Exiting, s.Detected = true, sys.Monotonic()
		r.remove(s)
	}
	crash := s.Classify(r.mem.Journal, exit)
	e = Exit{Slot: s.Number, NeverReady: s.Phase != slots.Ready}
	r.recordEnd(s, exit)
	s.Clear(r.mem.Journal, now)
	r.afterEnd(crash)
	return e, true
}

// remove clears the slot's ready bit. If it was active, another ready worker becomes active, in one
// CAS. If none is ready, the furthest joiner does.
func (r *Set) remove(s *slots.Slot) {
	r.mem.Control.RemoveWorker(s.Number, r.mem.Journal)
	if a := r.mem.Control.Active(); a.Slot() == s.Number {
		if j := r.slots.FurthestJoiner(s, r.mem.Journal); j != nil {
			r.mem.Control.Swap(a, a.WithActive(j.Number))
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
		s.Attached = false
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
	s.Retired.Refused = n.Generation
	if s.Fed() && s.Generation == n.Generation {
		r.dismiss(s, "ring refused by the audio process: "+n.Reason)
	}
}
