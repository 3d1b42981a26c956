package audio

import "github.com/music-chronus/chronus/shm"

// judge decides, once a call, whether the sound moves to another worker for want of lead.
type judge struct {
	slot  int    // the active worker at the end of the last call
	head  uint64 // its head then
	tries int    // calls under the guard, since an active worker last had its full lead

	left     bool // the sound was taken from a worker that has not published since, nor been replaced
	leftSlot int
	leftHead shm.Head
}

// restless is how often, in calls, workers are tried in turn when none of them is better off.
const restless = 16

// mayFlip tells whether another worker may be better off. Each worker has its turn at once. After that
// the turns come more slowly: a stopped worker may wake, and an overloaded machine must not flip for
// ever.
func (j *judge) mayFlip(slots int) bool {
	j.tries++
	return j.tries < slots || j.tries%restless == 0
}

// before says, at the begin of a call, whether the active worker has all that it may have rendered.
func (p *Player) before(now int64) (healthy bool) {
	head := p.journal.Published(p.words.Active().Slot())
	clock := p.words.Clock()
	healthy = head >= clock+p.lead.full(now)
	if head >= clock+p.lead.now {
		p.lead.filled()
	}
	if healthy {
		p.judge.tries = 0
	}
	return healthy
}

// settle ends a call. It flips when what the active worker has published would, after the next call,
// be under the guard: a level, looked at in every call. A device that takes several blocks at a time
// needs all of them there when it calls, so they are added to the guard. The successor may be a
// call's blocks behind: a standby sleeps from call to call, and has not seen what a worker that hangs
// published last; to wait until it has would take the call that is left.
//
// A worker that had its full lead when the call began is not to blame: the device took more than the
// lead. No other worker is better off then, and the callback does not flip.
func (p *Player) settle(now int64, healthy bool) {
	a := p.words.Active()
	slot, head := a.Slot(), p.journal.Published(a.Slot())
	p.explain(now)
	need := p.words.Clock() + p.guard + p.lead.blocks() - 1
	switch {
	case head >= need:
	case healthy:
		p.words.CountOverrun()
	case p.flip():
		return
	case slot == p.judge.slot && head > p.judge.head:
		p.grow(now, need-head) // it lives, and no other worker is better off
	}
	p.judge.slot, p.judge.head = slot, head
}

// flip moves the sound to the successor, if there is one that may be better off.
func (p *Player) flip() bool {
	a := p.words.Active()
	head := p.journal.Published(a.Slot())
	least := max(1, head-min(head, p.lead.blocks()))
	to, ok := a.Heir(a.Slot(), p.slots, least, p.standing)
	if !ok || !p.judge.mayFlip(p.slots) {
		return false
	}
	p.judge.left, p.judge.leftSlot, p.judge.leftHead = true, a.Slot(), p.journal.Head(a.Slot())
	p.words.Flip(a, to)
	p.judge.slot, p.judge.head = to, p.journal.Published(to)
	return true
}

// standing is the head of a slot, or 0 for the worker that the sound was last taken from: while it
// stands still it is not better off.
func (p *Player) standing(slot int) uint64 {
	if p.judge.left && slot == p.judge.leftSlot {
		return 0
	}
	return p.journal.Published(slot)
}

// explain looks whether the worker that the sound was last taken from has published since. Then it
// was only late: the lead was too short for this machine.
func (p *Player) explain(now int64) {
	j := &p.judge
	if !j.left {
		return
	}
	head := p.journal.Head(j.leftSlot)
	if head == j.leftHead {
		return
	}
	j.left = false
	if head.Of(j.leftHead.Generation()) && head.Published() > j.leftHead.Published() {
		p.grow(now, 1)
	}
}

// grow makes the lead longer for a worker that was late.
func (p *Player) grow(now int64, short uint64) {
	p.words.CountLate()
	p.setLead(p.lead.late(now, short))
}

func (p *Player) setLead(lead uint64) { p.words.SetLead(lead, p.lead.burst, p.lead.extra) }
