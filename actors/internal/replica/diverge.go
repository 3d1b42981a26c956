package replica

import (
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// By the protocol, all copies of a block are equal. If two differ, a bit has changed in a worker's
// memory, or a module is not a function of its arguments. The majority of the workers decides which
// copy is right. Without a majority, a witness does: a worker that begins from the checkpoint and
// renders what has been decided since.

// divergence is a mismatch between the active worker and another one that has not been resolved.
type divergence struct {
	block   uint64
	slot    int    // the active worker's
	suspect uint64 // its generation
}

// compare checks the slot's hashes against those of the active worker, for every block that both
// hold, up to the first that differs. agree is the number of equal ones.
func (r *Set) compare(s *slot) (differs bool, agree int) {
	j := r.mem.Journal
	active := r.slots[r.mem.Control.Active().Slot()]
	if active == s || active.ring == nil || s.ring == nil {
		return false, 0
	}
	if _, gen := active.ring.Slot(); !j.Head(active.number).Of(gen) {
		return false, 0 // the head is that of the worker before
	}
	mine, theirs := s.ring.AudioReader(), active.ring.AudioReader()
	to := min(j.Published(s.number), j.Published(active.number))
	from := max(s.compared, to-min(to, uint64(r.mem.Geometry.Ring)))
	for n := from; n < to; n++ {
		a, ok := mine.Hash(n, j.Head(s.number))
		b, also := theirs.Hash(n, j.Head(active.number))
		if ok && also && a != b {
			s.compared = n
			return true, agree
		}
		if ok && also {
			agree++
		}
	}
	s.compared = max(s.compared, to)
	return false, agree
}

// arbitrate decides which is wrong, s or the active worker, whose copies of block s.compared differ.
func (r *Set) arbitrate(s *slot) {
	n := s.compared
	active := r.slots[r.mem.Control.Active().Slot()]
	for _, right := range []*slot{active, s} {
		if 2*r.votes(n, right) > r.voters(n) {
			for _, x := range r.slots {
				if hash, ok := r.hashOf(x, n); ok && hash != r.mustHash(right, n) {
					r.replaceDiverged(x, n)
				}
			}
			return
		}
	}
	r.divergence = &divergence{block: n, suspect: active.gen, slot: active.number}
	r.replaceDiverged(s, n) // the standby; the next worker in its slot is the witness
}

// witness compares the active worker with a joiner that began from the checkpoint, and replaces the
// active worker if they differ.
func (r *Set) witness(s *slot, differs bool, agree int) {
	d := r.divergence
	active := r.slots[r.mem.Control.Active().Slot()]
	if active.number != d.slot || active.gen != d.suspect {
		r.divergence = nil // the suspect has ended
		return
	}
	switch {
	case differs:
		r.divergence = nil
		c := r.mem.Control
		for old := c.Active(); !c.Swap(old, old.WithReady(s.number).WithActive(s.number)); {
			old = c.Active()
		}
		r.noticeFlip()
		r.replaceDiverged(active, s.compared)
	case agree > 0 && s.compared > d.block:
		r.divergence = nil
	}
}

// replaceDiverged replaces a worker whose block n is wrong. If the worker is active, another becomes
// active first.
func (r *Set) replaceDiverged(s *slot, n uint64) {
	r.diverged++
	r.mem.Journal.SetCause(s.number, s.gen, shm.CauseDiverged, 0)
	r.obs.Event(report.WorkerDiverged{Slot: s.number, PID: s.proc.PID, Block: n})
	r.condemn(s, "diverged")
	r.remove(s)
}

// hashOf returns the hash of a ready worker's block n.
func (r *Set) hashOf(s *slot, n uint64) (hash uint64, ok bool) {
	if s.phase != ready || s.ring == nil || s.condemned {
		return 0, false
	}
	return s.ring.AudioReader().Hash(n, r.mem.Journal.Head(s.number))
}

func (r *Set) mustHash(s *slot, n uint64) uint64 {
	h, _ := r.hashOf(s, n)
	return h
}

// voters returns the number of ready workers that hold block n.
func (r *Set) voters(n uint64) (count int) {
	for _, s := range r.slots {
		if _, ok := r.hashOf(s, n); ok {
			count++
		}
	}
	return count
}

// votes returns the number of voters whose block n equals that of a worker.
func (r *Set) votes(n uint64, with *slot) (count int) {
	want, ok := r.hashOf(with, n)
	for _, s := range r.slots {
		if h, holds := r.hashOf(s, n); ok && holds && h == want {
			count++
		}
	}
	return count
}
