package replica

import (
	"slices"

	"github.com/music-chronus/chronus/actors/internal/compare"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// If two copies of a block differ, the majority of the workers decides which one is right. Without
// a majority, a witness does: a worker that begins from the checkpoint and renders what has been
// decided since.

// divergence is a mismatch between the active worker and another one that has not been resolved.
type divergence struct {
	block   uint64
	slot    int    // the active worker's
	suspect uint64 // its generation
}

// compare checks the slot's hashes against those of the active worker, for every block that both
// hold, up to the first that differs. agree is the number of equal ones.
func (r *Set) compare(s *slots.Slot) (differs bool, agree int) {
	j := r.mem.Journal
	active := r.slots[r.mem.Control.Active().Slot()]
	if active == s || active.Ring == nil || s.Ring == nil {
		return false, 0
	}
	if _, gen := active.Ring.Slot(); !j.Head(active.Number).Of(gen) {
		return false, 0 // the head is that of the worker before
	}
	next, differs, agree := compare.Blocks(r.copyOf(s), r.copyOf(active), s.Compared, uint64(r.mem.Geometry.Ring))
	s.Compared = next
	return differs, agree
}

func (r *Set) copyOf(s *slots.Slot) compare.Copy {
	return compare.Copy{Slot: s.Number, Ring: s.Ring, Journal: r.mem.Journal}
}

// copies returns the copies of the ready workers.
func (r *Set) copies() (list []compare.Copy) {
	for _, s := range r.slots {
		if s.Phase == slots.Ready && s.Ring != nil && !s.Condemned {
			list = append(list, r.copyOf(s))
		}
	}
	return list
}

// arbitrate decides which is wrong, s or the active worker, whose copies of block s.compared
// differ.
func (r *Set) arbitrate(s *slots.Slot) {
	n := s.Compared
	active := r.slots[r.mem.Control.Active().Slot()]
	copies := r.copies()
	for _, right := range []*slots.Slot{active, s} {
		isReady := slices.ContainsFunc(copies, func(c compare.Copy) bool { return c.Slot == right.Number })
		if !isReady || !compare.Majority(copies, n, r.copyOf(right)) {
			continue
		}
		want, _ := r.copyOf(right).Hash(n)
		for _, c := range copies {
			if hash, ok := c.Hash(n); ok && hash != want {
				r.replaceDiverged(r.slots[c.Slot], n)
			}
		}
		return
	}
	r.divergence = &divergence{block: n, suspect: active.Generation, slot: active.Number}
	r.replaceDiverged(s, n) // the standby; the next worker in its slot is the witness
}

// witness compares the active worker with a joiner that began from the checkpoint, and replaces the
// active worker if they differ.
func (r *Set) witness(s *slots.Slot, differs bool, agree int) {
	d := r.divergence
	active := r.slots[r.mem.Control.Active().Slot()]
	if active.Number != d.slot || active.Generation != d.suspect {
		r.divergence = nil // the suspect has ended
		return
	}
	switch {
	case differs:
		r.divergence = nil
		c := r.mem.Control
		for old := c.Active(); !c.Swap(old, old.WithReady(s.Number).WithActive(s.Number)); {
			old = c.Active()
		}
		r.noticeFlip()
		r.replaceDiverged(active, s.Compared)
	case agree > 0 && s.Compared > d.block:
		r.divergence = nil
	}
}

// replaceDiverged replaces a worker whose block n is wrong. If the worker is active, another
// becomes active first.
func (r *Set) replaceDiverged(s *slots.Slot, n uint64) {
	r.diverged++
	r.mem.Journal.SetCause(s.Number, s.Generation, shm.CauseDiverged, 0)
	r.obs.Event(report.WorkerDiverged{Slot: s.Number, PID: s.Process.PID, Block: n})
	r.condemn(s, "diverged")
	r.remove(s)
}
