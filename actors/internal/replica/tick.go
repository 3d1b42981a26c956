package replica

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// tick moves every slot on by what has become true since the last tick.
func (r *Set) tick(now time.Time) {
	r.mu.Lock()
	r.startPlaying(now)
	begins := !r.life.playing && r.out.Open() && r.mem.Control.Transport() == shm.Play
	r.life.playing = r.life.playing || begins
	r.out.Tick(now, r.life.playing)
	r.noticeFlip()
	if now.Sub(r.lastTick) > r.cfg.Timeouts.Hang/2 {
		// The engine itself was stalled, so missing progress does not prove that workers hang.
		for _, s := range r.slots {
			s.progress.at = now
		}
	}
	r.lastTick = now
	for _, s := range r.slots {
		if !s.exiting {
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

func (r *Set) updateSlot(s *slot, now time.Time) {
	s.noteLiveness()
	switch s.phase {
	case starting:
		r.updateStarting(s, now)
	case joining:
		r.updateJoining(s, now)
		r.updateProgress(s, now, r.cfg.Timeouts.Join)
	case ready:
		if !r.mem.Control.Active().Ready(s.number) {
			s.enter(joining, now) // another process cleared its bit: it has ended, or was taken for ended
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
	r.checkpoint.request.since = now
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
		r.obs.Event(report.Flipped{From: s.number, To: a.Slot(), Epoch: a.Epoch(), Cause: "asked for"})
	case a.Ready(s.number):
		r.recordFlip(s, a)
	case s.exiting, s.seenAlive && s.fed() && s.cmds.Liveness().Load() == 0:
		// The audio process may have been first. The kernel still takes the process down.
		at, _ := r.mem.Control.FlippedAt(a.Epoch())
		if !s.exiting || at < s.detected {
			s.detected = at
		}
		s.exiting, s.epoch, s.flipped = true, a.Epoch(), true
	}
}

// recordFlip records a flip that the callback made away from a worker that lives.
func (r *Set) recordFlip(s *slot, a shm.Active) {
	const cause = "no lead left"
	now := sys.Monotonic()
	at, ok := r.mem.Control.FlippedAt(a.Epoch())
	if !ok {
		at = 0
	}
	// A ready worker may recover: then only its place was lost.
	redundant := s.phase == ready && r.mem.Control.Active().ReadyCount() >= len(r.slots)
	r.failovers.CallbackFlipped(s.worker(), cause, now, at, redundant)
	r.obs.Event(report.Flipped{From: s.number, To: a.Slot(), Epoch: a.Epoch(), Cause: cause})
}

// recordEnd records the end of a slot's process.
func (r *Set) recordEnd(s *slot, exit sys.Exit) {
	cause := r.causeOf(s, exit)
	at, ok := r.mem.Control.FlippedAt(s.epoch)
	flipped := ok && s.flipped
	if !flipped {
		at = 0
	}
	r.failovers.WorkerEnded(s.worker(), cause, s.detected, at)
	if flipped {
		r.obs.Event(report.Flipped{From: s.number, To: r.mem.Control.Active().Slot(), Epoch: s.epoch, Cause: cause})
	}
	r.obs.Event(report.WorkerEnded{Slot: s.number, PID: s.proc.PID, Generation: s.gen, Cause: cause})
}

// causeOf describes why the slot's process ended.
func (r *Set) causeOf(s *slot, exit sys.Exit) string {
	st := r.mem.Journal.Status(s.number)
	switch {
	case s.condemned:
		return s.reason + ", killed by the engine"
	case st.Generation != s.gen || st.Cause.FromKernel():
		return exit.String()
	case st.Rendering:
		return fmt.Sprintf("%v in block %d, node %d", st.Cause, st.Block, st.Node)
	}
	return st.Cause.String()
}

// updateProgress condemns a worker that publishes nothing for the limit, though it could.
func (r *Set) updateProgress(s *slot, now time.Time, limit time.Duration) {
	head := r.mem.Journal.Published(s.number)
	active := r.mem.Control.Active().Slot()
	idle := head >= r.mem.Control.Clock()+r.mem.Control.Lead()
	if active != s.number && r.mem.Journal.Published(active) <= head {
		idle = true // it waits for the active worker, as it should
	}
	if moved := head != s.progress.head; moved || idle {
		if moved && s.killedAt != 0 && sys.Monotonic()-s.killedAt > int64(limit) {
			s.killedAt = 0 // Kill stopped it, and a signal made it continue
		}
		s.progress = progress{head, now}
		return
	}
	if now.Sub(s.progress.at) > limit {
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
	if s := r.slots[r.mem.Control.Active().Slot()]; s.ring != nil {
		clock, head := r.mem.Control.Clock(), r.mem.Journal.Head(s.number)
		r.meter.Played(s.ring.AudioReader(), head, clock, uint64(r.mem.Geometry.Ring))
	}
	r.meter.Tick(now, func() (pids []int) {
		for _, s := range r.slots {
			if s.phase != empty {
				pids = append(pids, s.proc.PID)
			}
		}
		return pids
	})
}
