package audio

// flipControl is what the callback remembers from call to call to decide about flips.
type flipControl struct {
	active worker // active worker at the end of the last call
	head   uint64 // its head at that time
	tries  int    // calls below the guard since an active worker last had its full lead
	keptUp worker // that worker: it has kept up once
	last   lastFlip
}

// lastFlip is the last flip for want of lead, as long as the worker that lost the sound has not
// published since.
type lastFlip struct {
	from   worker
	head   uint64 // its head at the flip
	keptUp bool   // it had kept up before
}

// worker identifies one worker process. Generations start at 1.
type worker struct {
	slot int
	gen  uint64 // low 16 bits
}

// worker returns the worker in a slot, and its head.
func (p *Player) worker(slot int) (worker, uint64) {
	h := p.journal.Head(slot)
	return worker{slot, h.Generation()}, h.Published()
}

// retryCalls is how often, in calls, the callback tries the next worker when all have too little
// lead.
const retryCalls = 16

// mayFlip reports whether to try another worker. The first round tries each worker at once. Later
// tries are rare: a stopped worker may resume, but an overloaded machine must not flip in every
// call.
func (f *flipControl) mayFlip(slots int) bool {
	f.tries++
	return f.tries < slots || f.tries%retryCalls == 0
}

// hasFullLead reports, at the beginning of a call, whether the active worker has rendered all that
// the lead allows.
func (p *Player) hasFullLead(now int64) (full bool) {
	w, head := p.worker(p.words.Active().Slot())
	clock := p.words.Clock()
	full = head >= clock+p.lead.expected(now)
	if head >= clock+p.lead.current {
		p.lead.setFilled()
	}
	if full {
		p.flips.tries, p.flips.keptUp = 0, w
	}
	return full
}

// checkLead ends a call. It flips if the active worker's head would be below the guard after the
// next call. It checks a level, in every call.
//
// A device that takes several blocks at a time needs all of them when it calls, so they add to the
// guard. The successor's head may be a call's blocks behind: a standby sleeps from call to call, so
// it has not seen the last blocks of a worker that hangs. Waiting for the standby would use up the
// remaining call.
//
// If the active worker had its full lead when the call began (full), the device took more than
// the lead. Another worker would be no better, and the callback does not flip.
func (p *Player) checkLead(now int64, full bool) {
	p.checkLastFlip(now)
	f := &p.flips
	w, head := p.worker(p.words.Active().Slot())
	need := p.words.Clock() + p.guard + p.lead.blocks() - 1
	switch {
	case head >= need:
	case full:
		p.words.CountOverrun()
	case p.flip():
		return
	case w == f.keptUp && w == f.active && head > f.head:
		p.extendLead(now, need-head) // it renders, and no other worker has more lead
	}
	f.active, f.head = w, head
}

// flip makes the successor active, if one may have more lead.
func (p *Player) flip() bool {
	a, f := p.words.Active(), &p.flips
	w, head := p.worker(a.Slot())
	least := max(1, head-min(head, p.lead.blocks()))
	to, ok := a.Successor(a.Slot(), p.slots, least, p.candidateHead)
	if !ok || !f.mayFlip(p.slots) {
		return false
	}
	f.last = lastFlip{from: w, head: head, keptUp: w == f.keptUp}
	p.words.Flip(a, to)
	f.active, f.head = p.worker(to)
	return true
}

// candidateHead returns the head of a slot. For the worker of the last flip it returns 0, as long
// as that worker publishes nothing.
func (p *Player) candidateHead(slot int) uint64 {
	w, head := p.worker(slot)
	if w == p.flips.last.from {
		return 0
	}
	return head
}

// checkLastFlip looks whether the worker of the last flip has published since. If it had kept up
// before, it was only late, and the lead is too short for this machine.
func (p *Player) checkLastFlip(now int64) {
	f := &p.flips
	if f.last.from.gen == 0 {
		return
	}
	w, head := p.worker(f.last.from.slot)
	if w == f.last.from && head == f.last.head {
		return
	}
	if w == f.last.from && f.last.keptUp {
		p.extendLead(now, 1)
	}
	f.last = lastFlip{}
}

// extendLead raises the lead after a worker was late.
func (p *Player) extendLead(now int64, short uint64) {
	p.words.CountLate()
	p.setLead(p.lead.extend(now, short))
}

func (p *Player) setLead(lead uint64) { p.words.SetLead(lead, p.lead.burst, p.lead.extra) }
