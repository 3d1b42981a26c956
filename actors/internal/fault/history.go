package fault

import (
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// maxHistory is how many failovers are on record. The oldest are forgotten.
const maxHistory = 4096

// recent is how many of the last failovers may still wait for the end of their worker.
const recent = 8

// History records failovers. The zero History is empty and ready to use.
type History struct {
	failovers []failover
	count     uint64 // of all failovers, the forgotten ones too
	flips     uint64 // changes of the active slot
}

// failover is a report.Failover with what is needed to complete it.
type failover struct {
	report.Failover
	began    int64 // CLOCK_MONOTONIC, ns
	open     bool  // not every worker has been ready since
	awaiting bool  // the callback flipped away from the worker, which has not ended
}

// Worker is what a History must know of a worker. Times are CLOCK_MONOTONIC in ns.
type Worker struct {
	Slot       int
	Generation uint64
	PID        int
	KilledAt   int64 // when Engine.Kill sent it a signal; 0: it did not
	Condemned  bool  // the engine kills it
}

// Count returns how many failovers there were.
func (h *History) Count() uint64 { return h.count }

// Flips returns how often the active slot changed.
func (h *History) Flips() uint64 { return h.flips }

// CountFlip counts a change of the active slot.
func (h *History) CountFlip() { h.flips++ }

// List returns a copy of the failovers on record, oldest first.
func (h *History) List() []report.Failover {
	list := make([]report.Failover, len(h.failovers))
	for i, f := range h.failovers {
		list[i] = f.Failover
	}
	return list
}

// Totals adds the counts of a History to those of the audio process. diverged is the number of
// workers that were replaced because their sound differed.
func (h *History) Totals(c shm.Counters, diverged uint64) report.Totals {
	return report.Totals{
		Callbacks: c.Callbacks, Played: c.Played, Rescued: c.Rescued, Concealed: c.Concealed,
		Flips: h.flips, CallbackFlips: c.Flips, Removed: c.Deposed, Xruns: c.Xruns,
		Damaged: c.Damaged, Late: c.Late, Overruns: c.Overruns,
		Mismatches: diverged, FailoversTotal: h.count,
	}
}

// begin adds a failover that began at the kill, if the engine sent one, or at now.
func (h *History) begin(w Worker, now int64) *failover {
	f := failover{
		Failover: report.Failover{At: time.Now(), Slot: w.Slot, Generation: w.Generation, PID: w.PID},
		began:    now, open: true,
	}
	if w.KilledAt != 0 {
		f.FromKill, f.began = true, w.KilledAt
	}
	if len(h.failovers) == maxHistory {
		h.failovers = append(h.failovers[:0], h.failovers[1:]...)
	}
	h.failovers = append(h.failovers, f)
	h.count++
	return &h.failovers[len(h.failovers)-1]
}

func micros(from, to int64) float64 { return float64(to-from) / 1e3 }

// CallbackFlipped records that the callback flipped away from a worker, at a time, or 0 if that is
// unknown. redundant: every worker is ready all the same.
func (h *History) CallbackFlipped(w Worker, cause string, now, at int64, redundant bool) {
	f := h.begin(w, now)
	f.Cause, f.ByCallback, f.awaiting = cause, true, true
	if at != 0 {
		if !f.FromKill {
			f.began = at
		}
		f.FlipUS = micros(f.began, at)
	}
	f.open = !redundant
}

// WorkerEnded records the end of a worker that was detected at a time. flippedAt is when another
// one became active in its place; 0: it was a standby.
func (h *History) WorkerEnded(w Worker, cause string, detected, flippedAt int64) {
	f := h.awaiting(w)
	if f == nil {
		f = h.begin(w, detected)
	}
	f.awaiting, f.open, f.Cause = false, true, cause
	if f.FromKill {
		f.DetectUS = micros(f.began, detected)
	}
	if flippedAt != 0 {
		f.FlipUS = micros(f.began, flippedAt)
	}
}

// awaiting returns the failover that a flip by the callback began for a worker that ends now. A
// worker that recovered from such a flip, and ends later of another cause, has a failover of its
// own.
func (h *History) awaiting(w Worker) *failover {
	for i := len(h.failovers) - 1; i >= max(0, len(h.failovers)-recent); i-- {
		f := &h.failovers[i]
		if f.awaiting && f.Slot == w.Slot && f.Generation == w.Generation && (w.Condemned || f.FromKill) {
			return f
		}
	}
	return nil
}

// AllReady completes the open failovers: every worker is ready.
func (h *History) AllReady(now int64) {
	for i := range h.failovers {
		if f := &h.failovers[i]; f.open {
			f.open = false
			f.RedundantUS = micros(f.began, now)
		}
	}
}
