package actors

import (
	"fmt"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/shm"
)

// enterBatch enters a batch, answers each of its requests, and tells whether any has entered.
func (r *rig) enterBatch(b commandlog.Batch) bool {
	in, err := r.enter(b)
	for i := range b.Requests {
		p, err := &b.Requests[i], err
		if p.Requester == nil {
			continue
		}
		if p.Refused != nil {
			err = p.Refused
		}
		if by := max(int64(in.block)*int64(r.geo.Block)-p.Due, 0) + b.Behind; err == nil && p.Timed && by > 0 {
			p.Requester.Late(float64(by) / float64(r.geo.Rate))
		}
		p.Requester.Answer(err)
	}
	return err == nil
}

// entered is what has become of a batch.
type entered struct {
	last  uint64 // Seq of its last command
	block uint64 // the first block that may have it; of a batch with time tags only
}

// enter puts a batch before every worker. A message whose node is gone with the plan that it was resolved with is refused, and the
// others enter.
func (r *rig) enter(b commandlog.Batch) (in entered, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range b.Requests {
		p := &b.Requests[i]
		for k := range p.Commands {
			if p.Commands[k], p.Refused = r.translate(p.Commands[k], b.Plan); p.Refused != nil {
				p.Commands = nil
				break
			}
			p.Commands[k].Plan = r.present.number
		}
	}
	return r.put(b.Requests)
}

// put numbers the commands of a batch, puts them into every attached ring, and only then commits them, all at once: a
// block has all of them or none. A worker whose ring has no room is killed rather than waited for; if that is so of all, the
// batch is refused. The answer of each message is kept for as long as its commands may still turn out to be poison. The rig is locked.
func (r *rig) put(plays []commandlog.Request) (in entered, err error) {
	all, timed := commandlog.Count(plays)
	n := uint64(all)
	if n == 0 {
		return in, nil
	}
	if err := r.takes(plays, n); err != nil {
		return in, err
	}
	before := r.log.Last()
	fed := make([]*slot, 0, shm.MaxSlots)
	for _, s := range r.slots {
		if !s.attached() || s.cmds.Tail() != before || s.phase == joining && s.cmds.Room() < n {
			continue // or it is being fed, in order
		}
		if s.cmds.Room() < n {
			r.condemn(s, fmt.Sprintf("hung, %d commands not consumed", shm.CommandEntries-s.cmds.Room()))
			continue
		}
		fed = append(fed, s)
	}
	var few [8]shm.Command
	list := few[:0]
	for i := range plays {
		p := &plays[i]
		for k, c := range p.Commands {
			asker := p.Requester
			if k < len(p.Commands)-1 {
				asker = nil // one message, one answer
			}
			c = r.log.Append(c, asker)
			list = append(list, c)
			r.meter.note(c, r.present.plan)
			r.noted(c, false)
		}
	}
	r.log.Join(n)
	for _, s := range fed {
		_ = s.cmds.Put(list...) // there is room: only more of it comes
	}
	in.last = r.log.Last()
	r.control.Commit(in.last)
	if timed > 0 {
		in.block = r.entry(in.last)
	}
	return in, nil
}

// takes says why a batch of n commands cannot enter now. The rig is locked.
func (r *rig) takes(plays []commandlog.Request, n uint64) error {
	switch {
	case r.stopping:
		return errStopped
	case r.silent != "":
		return fmt.Errorf("nothing plays: %s", r.silent)
	case n > commandlog.MaxBatch:
		return commandlog.ErrBatchSize
	}
	attached, room := 0, 0
	for _, s := range r.slots {
		if s.attached() {
			attached++
			if s.cmds.Room() >= n {
				room++
			}
		}
	}
	if attached > 0 && room == 0 {
		return errRingsFull
	}
	// What no ring can take before it plays would keep it from playing: a joiner must have all of them to be ready.
	if had := r.log.Len() + int(n); had > commandlog.MaxCommands || had > shm.CommandEntries && r.control.Transport() == shm.Idle {
		return errLogFull
	}
	return r.log.Reserve(plays, r.control.Clock()*uint64(r.geo.Block))
}

// entry is the first block that may still have the command seq, which is committed: the one after those that are decided
// without it. What is decided from now on has it.
func (r *rig) entry(seq uint64) uint64 {
	for n := r.control.Clock(); ; n++ {
		if d, ok := r.journal.Decision(n); !ok || d.Seq() >= seq {
			return n
		}
	}
}
