package audio

// flipControl decides, once a call, whether the sound moves to another worker for want of lead.
type flipControl struct {
	active worker // at the end of the last call
	head   uint64 // its head then
	tries  int    // calls under the guard, since an active worker last had its full lead
	keptUp worker // that worker: it kept up once

	flippedFrom       worker // from which the sound was taken for want of lead, and which has not published since
	flippedFromHead   uint64 // its head then
	flippedFromKeptUp bool   // it had kept up before
}

// worker is one process that renders. No worker has generation 0.
type worker struct {
	slot int
	gen  uint64 // its low 16 bits
}

// worker returns the worker in a slot, and its head.
func (p *Player) worker(slot int) (worker, uint64) {
	h := p.journal.Head(slot)
	return worker{slot, h.Generation()}, h.Published()
}

// retryCalls is how often, in calls, workers are tried in turn when none of them is better off.
const retryCalls = 16

// mayFlip tells whether another worker may be better off. Each worker has its turn at once. After that
// the turns come more slowly: a stopped worker may wake, and an overloaded machine must not flip for
// ever.
func (j *flipControl) mayFlip(slots int) bool {
	j.tries++
	return j.tries < slots || j.tries%retryCalls == 0
}

// hasFullLead says, at the begin of a call, whether the active worker has all that it may have rendered.
func (p *Player) hasFullLead(now int64) (healthy bool) {
	w, head := p.worker(p.words.Active().Slot())
	clock := p.words.Clock()
	healthy = head >= clock+p.lead.expected(now)
	if head >= clock+p.lead.current {
		p.lead.setFilled()
	}
	if healthy {
		p.flips.tries, p.flips.keptUp = 0, w
	}
	return healthy
}

// checkLead ends a call. It flips when what the active worker has published would, after the next call,
// be under the guard: a level, looked at in every call. A device that takes several blocks at a time
// needs all of them there when it calls, so they are added to the guard. The successor may be a
// call's blocks behind: a standby sleeps from call to call, and has not seen what a worker that hangs
// published last; to wait until it has would take the call that is left.
//
// A worker that had its full lead when the call began is not to blame: the device took more than the
// lead. No other worker is better off then, and the callback does not flip.
func (p *Player) checkLead(now int64, healthy bool) {
	p.checkFlippedFrom(now)
	j := &p.flips
	w, head := p.worker(p.words.Active().Slot())
	need := p.words.Clock() + p.guard + p.lead.blocks() - 1
	switch {
	case head >= need:
	case healthy:
		p.words.CountOverrun()
	case p.flip():
		return
	case w == j.keptUp && w == j.active && head > j.head:
		p.extendLead(now, need-head) // it lives, and no other worker is better off
	}
	j.active, j.head = w, head
}

// flip moves the sound to the successor, if there is one that may be better off.
func (p *Player) flip() bool {
	a, j := p.words.Active(), &p.flips
	w, head := p.worker(a.Slot())
	least := max(1, head-min(head, p.lead.blocks()))
	to, ok := a.Successor(a.Slot(), p.slots, least, p.candidateHead)
	if !ok || !j.mayFlip(p.slots) {
		return false
	}
	j.flippedFrom, j.flippedFromHead, j.flippedFromKeptUp = w, head, w == j.keptUp
	p.words.Flip(a, to)
	j.active, j.head = p.worker(to)
	return true
}

// candidateHead is the head of a slot, or 0 for the worker that the sound was last taken from: while it
// stands still it is not better off.
func (p *Player) candidateHead(slot int) uint64 {
	w, head := p.worker(slot)
	if w == p.flips.flippedFrom {
		return 0
	}
	return head
}

// checkFlippedFrom looks whether the worker that the sound was last taken from has published since. If it had
// kept up before, it was only late: the lead was too short for this machine.
func (p *Player) checkFlippedFrom(now int64) {
	j := &p.flips
	if j.flippedFrom.gen == 0 {
		return
	}
	w, head := p.worker(j.flippedFrom.slot)
	if w == j.flippedFrom && head == j.flippedFromHead {
		return
	}
	if w == j.flippedFrom && j.flippedFromKeptUp {
		p.extendLead(now, 1)
	}
	j.flippedFrom = worker{}
}

// extendLead makes the lead longer for a worker that was late.
func (p *Player) extendLead(now int64, short uint64) {
	p.words.CountLate()
	p.setLead(p.lead.extend(now, short))
}

func (p *Player) setLead(lead uint64) { p.words.SetLead(lead, p.lead.burst, p.lead.extra) }
