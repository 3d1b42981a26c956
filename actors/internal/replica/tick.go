package replica

import (
	"time"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// Tick implements watcher.Watched: it moves every slot on by what has become true since the last
// tick.
func (r *Set) Tick(now time.Time) {
	r.mu.Lock()
	r.startPlaying(now)
	begins := !r.life.playing && r.out.Open() && r.mem.Control.Transport() == shm.Play
	r.life.playing = r.life.playing || begins
	r.out.Tick(now, r.life.playing)
	r.noticeFlip()
	if now.Sub(r.lastTick) > r.cfg.Timeouts.Hang/2 {
		// The engine itself was stalled, so missing progress does not prove that workers hang.
		for _, s := range r.slots {
			s.Progress.At = now
		}
	}
	r.lastTick = now
	for _, s := range r.slots {
		if !s.Exiting {
			r.updateSlot(s, now)
		}
	}
	r.updateCrashes()
	r.report(now)
	r.updateMeter(now)
	r.updateCheckpoint(now)
	r.mu.Unlock()
	if begins {
		r.obs.Playing()
	}
}

func (r *Set) updateSlot(s *slots.Slot, now time.Time) {
	s.NoteLiveness()
	switch s.Phase {
	case slots.Starting:
		r.updateStarting(s, now)
	case slots.Joining:
		r.updateJoining(s, now)
		r.updateProgress(s, now, r.cfg.Timeouts.Join)
	case slots.Ready:
		if !r.mem.Control.Active().Ready(s.Number) {
			s.Enter(slots.Joining, now) // another process cleared its bit: it has ended, or was taken for ended
			return
		}
		r.updateProgress(s, now, r.cfg.Timeouts.Hang)
		if differs, _ := r.compare(s); differs {
			r.arbitrate(s)
		}
	}
}

// startPlaying begins to play once every worker is ready and the active one has its full lead.
func (r *Set) startPlaying(now time.Time) {
	c := r.mem.Control
	if c.Transport() != shm.Idle || !r.out.Open() || r.life.stopping {
		return
	}
	c.Wake() // no callback does it yet
	a := c.Active()
	if a.ReadyCount() < len(r.slots) || r.mem.Journal.Published(a.Slot()) < c.Clock()+c.Lead() {
		return
	}
	r.checkpoint.request.Since = now
	c.SetTransport(shm.Play)
	r.out.Play()
}

// noticeFlip records a change of the active slot: a flip away from a worker that has ended, whose
// ready bit is gone, or one that the callback made for lack of lead.
func (r *Set) noticeFlip() {
	a, was := r.mem.Control.Active(), r.active
	r.active = a
	if a.Slot() == was.Slot() {
		return
	}
	r.failovers.CountFlip()
	s := r.slots[was.Slot()]
	switch {
	case r.flipEpoch == a.Epoch():
		r.obs.Event(report.Flipped{From: s.Number, To: a.Slot(), Epoch: a.Epoch(), Cause: "asked for"})
	case a.Ready(s.Number):
		r.recordFlip(s, a)
	case s.Exiting, s.SeenAlive && s.Fed() && s.Commands.Liveness().Load() == 0:
		// The audio process may have been first. The kernel still takes the process down.
		at, _ := r.mem.Control.FlippedAt(a.Epoch())
		if !s.Exiting || at < s.Detected {
			s.Detected = at
		}
		s.Exiting, s.Epoch, s.Flipped = true, a.Epoch(), true
	}
}

// recordFlip records a flip that the callback made away from a worker that lives.
func (r *Set) recordFlip(s *slots.Slot, a shm.Active) {
	const cause = "no lead left"
	now := sys.Monotonic()
	at, ok := r.mem.Control.FlippedAt(a.Epoch())
	if !ok {
		at = 0
	}
	// A ready worker may recover: then only its place was lost.
	redundant := s.Phase == slots.Ready && r.mem.Control.Active().ReadyCount() >= len(r.slots)
	r.failovers.CallbackFlipped(s.FaultWorker(), cause, now, at, redundant)
	r.obs.Event(report.Flipped{From: s.Number, To: a.Slot(), Epoch: a.Epoch(), Cause: cause})
}

// recordEnd records the end of a slot's process.
func (r *Set) recordEnd(s *slots.Slot, exit sys.Exit) {
	cause := s.Cause(r.mem.Journal, exit)
	at, ok := r.mem.Control.FlippedAt(s.Epoch)
	flipped := ok && s.Flipped
	if !flipped {
		at = 0
	}
	r.failovers.WorkerEnded(s.FaultWorker(), cause, s.Detected, at)
	if flipped {
		r.obs.Event(report.Flipped{From: s.Number, To: r.mem.Control.Active().Slot(), Epoch: s.Epoch, Cause: cause})
	}
	r.obs.Event(report.WorkerEnded{Slot: s.Number, PID: s.Process.PID, Generation: s.Generation, Cause: cause})
}

// updateProgress condemns a worker that publishes nothing for the limit, though it could.
func (r *Set) updateProgress(s *slots.Slot, now time.Time, limit time.Duration) {
	head := r.mem.Journal.Published(s.Number)
	active := r.mem.Control.Active().Slot()
	idle := head >= r.mem.Control.Clock()+r.mem.Control.Lead()
	if active != s.Number && r.mem.Journal.Published(active) <= head {
		idle = true // it waits for the active worker, as it should
	}
	if s.Stalled(head, idle, now, limit) {
		r.condemn(s, "hung, nothing published for "+limit.String())
	}
}

// report reports what has changed about the sound and the lead.
func (r *Set) report(now time.Time) {
	c := r.mem.Control
	sound, xruns := r.mem.Journal.Status(c.Active().Slot()).Sound, c.Counters().Xruns
	name := func(node int) string { return r.plans.NodeName(node, r.plans.Current().Number) }
	for _, e := range r.sound.Update(now, sound, xruns, name) {
		r.obs.Event(e)
	}
	for _, e := range r.lead.Update(now, r.life.playing, c.View, r.mem.Geometry) {
		r.obs.Event(e)
	}
}

// updateMeter measures the blocks that were played since the last tick.
func (r *Set) updateMeter(now time.Time) {
	if r.meter == nil {
		return
	}
	if s := r.slots[r.mem.Control.Active().Slot()]; s.Ring != nil {
		clock, head := r.mem.Control.Clock(), r.mem.Journal.Head(s.Number)
		r.meter.Played(s.Ring.AudioReader(), head, clock, uint64(r.mem.Geometry.Ring))
	}
	r.meter.Tick(now, r.slots.Processes)
}
