package actors

import (
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// All copies of a block are equal, by the protocol. If two are not, a bit has changed in somebody's memory, or a module is
// not a function of its arguments. Who is wrong is decided by the majority of the workers; where there is none, by
// a witness: a worker that begins from the kept snapshot and renders what was decided since.

// compare checks the slot's hashes against those of the active worker, for every block that both hold, up to the first
// that differs.
func (r *rig) compare(s *slot) (differs bool, agree int) {
	ref := r.slots[r.control.Active().Slot()]
	if ref == s || ref.ring == nil || s.ring == nil {
		return false, 0
	}
	if _, gen := ref.ring.Slot(); !r.journal.Head(ref.number).Of(gen) {
		return false, 0 // the head is of the worker before: there is nothing to compare with yet
	}
	mine, theirs := s.ring.AudioReader(), ref.ring.AudioReader()
	to := min(r.journal.Published(s.number), r.journal.Published(ref.number))
	from := max(s.compared, to-min(to, uint64(r.geo.Ring)))
	for n := from; n < to; n++ {
		a, ok := mine.Hash(n, r.journal.Head(s.number))
		b, also := theirs.Hash(n, r.journal.Head(ref.number))
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

// arbitrate decides who is wrong of s and the active worker, whose copies of block s.compared differ.
func (r *rig) arbitrate(s *slot) {
	n := s.compared
	active := r.slots[r.control.Active().Slot()]
	for _, with := range []*slot{active, s} { // those whose copy is the majority's
		if 2*r.votes(n, with) > r.voters(n) {
			for _, x := range r.slots {
				if hash, ok := r.hashOf(x, n); ok && hash != r.mustHash(with, n) {
					r.replaceDiverged(x, n)
				}
			}
			return
		}
	}
	r.doubt = &doubt{block: n, suspect: active.gen, slot: active.number}
	r.replaceDiverged(s, n) // the one that is not heard; the next one in its place will be the witness
}

// doubt is that nobody knows whether the active worker is right.
type doubt struct {
	block   uint64
	slot    int // the active worker's
	suspect uint64
}

// witness hears a joiner that began from the kept snapshot, and tells whether the doubt is over.
func (r *rig) witness(s *slot, differs bool, agree int) {
	d := r.doubt
	active := r.slots[r.control.Active().Slot()]
	if active.number != d.slot || active.gen != d.suspect {
		r.doubt = nil // the suspect has ended by itself
		return
	}
	switch {
	case differs:
		r.doubt = nil
		for old := r.control.Active(); !r.control.Swap(old, old.WithReady(s.number).WithActive(s.number)); {
			old = r.control.Active()
		}
		r.noticeFlip()
		r.replaceDiverged(active, s.compared)
	case agree > 0 && s.compared > d.block:
		r.doubt = nil
	}
}

// replaceDiverged replaces a worker whose block n is wrong. If the worker is active, another becomes active
// first.
func (r *rig) replaceDiverged(s *slot, n uint64) {
	r.mismatches++
	r.journal.SetCause(s.number, s.gen, shm.CauseDiverged, 0)
	r.emit(report.WorkerDiverged{Slot: s.number, PID: s.proc.PID, Block: n})
	r.condemn(s, "diverged")
	r.depose(s)
}

func (r *rig) hashOf(s *slot, n uint64) (hash uint64, ok bool) {
	if s.phase != ready || s.ring == nil || s.condemned {
		return 0, false
	}
	return s.ring.AudioReader().Hash(n, r.journal.Head(s.number))
}

func (r *rig) mustHash(s *slot, n uint64) uint64 {
	h, _ := r.hashOf(s, n)
	return h
}

// voters are the ready workers that hold block n, votes those of them whose copy is the same as that of with.
func (r *rig) voters(n uint64) (count int) {
	for _, s := range r.slots {
		if _, ok := r.hashOf(s, n); ok {
			count++
		}
	}
	return count
}

func (r *rig) votes(n uint64, with *slot) (count int) {
	want, ok := r.hashOf(with, n)
	for _, s := range r.slots {
		if h, holds := r.hashOf(s, n); ok && holds && h == want {
			count++
		}
	}
	return count
}
