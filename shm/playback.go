package shm

import "github.com/music-chronus/chronus/shm/interleave"

// Playback is the engine segment as the audio callback has it.
type Playback struct{ View }

// AttachPlayback maps the engine segment for the audio process and takes over fd.
func AttachPlayback(fd int) (Playback, error) {
	s, err := attach(fd, KindEngine, true)
	if err != nil {
		return Playback{}, err
	}
	return Playback{View{s, at[engineWords](s, 0)}}, nil
}

// Advance moves the clock past the block that was copied, and logs the hash of what is heard.
// rescued means that it came from the ring of a standby.
func (p Playback) Advance(hash uint64, rescued bool) {
	n := p.w.clock.Load()
	interleave.Yield()
	p.w.heard[n%Laps].Store(hash)
	p.w.counters.played.Add(1)
	if rescued {
		p.w.counters.rescued.Add(1)
	}
	interleave.Yield()
	p.w.clock.Store(n + 1)
}

// Flip changes active from old to slot to, since the lead fell to the guard.
func (p Playback) Flip(old Active, to int) {
	if p.swap(old, old.WithActive(to)) {
		p.w.counters.flips.Add(1)
	}
}

// RemoveWorker is Control.RemoveWorker for the audio process, which often sees the end of a worker
// first.
func (p Playback) RemoveWorker(slot int, j Journal) {
	if p.removeWorker(slot, int(p.Geometry().Slots), j.Published) {
		p.w.counters.deposed.Add(1)
	}
}

// EndCall ends a call of the callback and wakes all waiters.
func (p Playback) EndCall() {
	p.w.counters.callbacks.Add(1)
	p.wakeAll()
}

// SetLead sets the lead in blocks, at most the ring's size, and its parts; see View.LeadParts. It
// may be called at any time: a lower lead withdraws no published block, and no lead overwrites a
// block that may still be played.
func (p Playback) SetLead(lead uint64, burst int, extra uint64) {
	p.w.burst.Store(uint64(burst))
	p.w.extra.Store(extra)
	interleave.Yield()
	p.w.lead.Store(max(1, min(lead, uint64(p.Geometry().Ring))))
}

// CountLate counts a living worker that fell below the guard.
func (p Playback) CountLate() { p.w.counters.late.Add(1) }

// CountOverrun counts a call in which the device took more than the lead.
func (p Playback) CountOverrun() { p.w.counters.overruns.Add(1) }

// Wake wakes all waiters.
func (p Playback) Wake() { p.wakeAll() }

// CountConcealed counts a block's time that was played without a block.
func (p Playback) CountConcealed() { p.w.counters.concealed.Add(1) }

// SetMismatch records that two rings hold different copies of block n.
func (p Playback) SetMismatch(n uint64) { p.w.mismatch.Store(n + 1) }

// CountDamaged counts a copy that differs from what its worker wrote, and was skipped.
func (p Playback) CountDamaged() { p.w.counters.damaged.Add(1) }

// AddXruns counts xruns that the device reported.
func (p Playback) AddXruns(n uint64) { p.w.counters.xruns.Add(n) }

// SetMapped records which generation of slot's ring the callback reads from now on.
func (p Playback) SetMapped(slot int, gen uint64) {
	interleave.Yield()
	p.w.mapped[slot].Store(gen)
}

// SetFaded records that the fade of transport Fade has ended in silence. The transport never leaves
// Fade, so the word is never cleared.
func (p Playback) SetFaded() { p.w.counters.faded.Store(1) }

// Touch reads a word of every page of the segment, so that later accesses cause no page fault.
func (p Playback) Touch() { p.touch(0, p.m.Len()-headerSize) }
