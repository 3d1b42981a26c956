package actors

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// historyMax is how many failovers are on record; the oldest are forgotten.
const historyMax = 4096

// failover is a report.Failover with what the engine needs to complete it.
type failover struct {
	report.Failover
	began int64 // sys.Monotonic
	open  bool  // not redundant yet
	live  bool  // flipped away from, but not dead yet
}

// history is the engine's memory of failovers.
type history struct {
	failovers []failover
	count     uint64
	flips     uint64 // changes of the active slot
}

func (h *history) add(f failover) *failover {
	if len(h.failovers) == historyMax {
		h.failovers = append(h.failovers[:0], h.failovers[1:]...)
	}
	h.failovers = append(h.failovers, f)
	h.count++
	return &h.failovers[len(h.failovers)-1]
}

// entry begins a failover of slot s at the kill, if it was ours, or at now.
func (h *history) entry(s *slot, now int64) *failover {
	f := failover{
		Failover: report.Failover{At: time.Now(), Slot: s.number, Generation: s.gen, PID: s.proc.PID},
		began:    now, open: true,
	}
	if s.killedAt != 0 {
		f.FromKill, f.began = true, s.killedAt
	}
	return h.add(f)
}

func micros(from, to int64) float64 { return float64(to-from) / 1e3 }

// list returns a copy of the failovers.
func (h *history) list() []report.Failover {
	list := make([]report.Failover, len(h.failovers))
	for i, f := range h.failovers {
		list[i] = f.Failover
	}
	return list
}

// flip records that the callback flipped away from s.
func (h *history) flip(r *rig, s *slot, now shm.Active) {
	f := h.entry(s, sys.Monotonic())
	f.Cause, f.ByCallback, f.live = "no lead left", true, true
	if at, ok := r.control.FlippedAt(now.Epoch()); ok {
		if !f.FromKill {
			f.began = at
		}
		f.FlipUS = micros(f.began, at)
	}
	if s.phase == ready { // it may recover: then nothing was lost but the place
		f.open = r.control.Active().ReadyCount() < len(r.slots)
	}
	r.emit(report.Flipped{From: s.number, To: now.Slot(), Epoch: now.Epoch(), Cause: f.Cause})
}

// death records the end of s's process.
func (h *history) death(r *rig, s *slot, exit sys.Exit) {
	f := h.pending(s)
	if f == nil {
		f = h.entry(s, s.detected)
	}
	f.live, f.open = false, true
	f.Cause = r.causeOf(s, exit)
	if f.FromKill {
		f.DetectUS = micros(f.began, s.detected)
	}
	if at, ok := r.control.FlippedAt(s.epoch); ok && s.flipped {
		f.FlipUS = micros(f.began, at)
		r.emit(report.Flipped{From: s.number, To: r.control.Active().Slot(), Epoch: s.epoch, Cause: f.Cause})
	}
	r.emit(report.WorkerEnded{Slot: s.number, PID: s.proc.PID, Generation: s.gen, Cause: f.Cause})
}

// pending is the failover that a flip by the callback began for the process that s still has.
func (h *history) pending(s *slot) *failover {
	for i := len(h.failovers) - 1; i >= 0 && i >= len(h.failovers)-8; i-- {
		f := &h.failovers[i]
		// A worker that was flipped away from, recovered, and died later of something else dies anew.
		if f.live && f.Slot == s.number && f.Generation == s.gen && (s.condemned || f.FromKill) {
			return f
		}
	}
	return nil
}

// redundant closes the open failovers once every slot is ready.
func (h *history) redundant(r *rig) {
	if r.control.Active().ReadyCount() < len(r.slots) {
		return
	}
	now := sys.Monotonic()
	for i := range h.failovers {
		if f := &h.failovers[i]; f.open {
			f.open = false
			f.RedundantUS = micros(f.began, now)
		}
	}
}

// causeOf describes why s's process ended.
func (r *rig) causeOf(s *slot, exit sys.Exit) string {
	st := r.journal.Status(s.number)
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
