package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// batchMost is how many commands may enter together: few enough that a ring which a worker empties has room for them.
const batchMost = shm.CommandEntries / 4

// waitingMost is how many commands may wait for their frame. A stream holds 4,096, and needs some room for those of the block at hand.
const waitingMost = 4000

var (
	errBatch   = fmt.Errorf("more than %d commands at once: send less in one packet", batchMost)
	errWaiting = fmt.Errorf("%d commands wait for their time: send later ones later", waitingMost)
	errTime    = errors.New("nothing plays, so that no time is known: send it without a time tag")
)

// count is how many commands there are, and how many of them have a time tag.
func count(plays []play) (all, timed int) {
	for _, p := range plays {
		all += len(p.commands)
		if p.timed {
			timed += len(p.commands)
		}
	}
	return all, timed
}

// playAll plays batches one after the other; a panic in one does not keep those behind it from being played.
func (c *conductor) playAll(m batches) {
	var fell any
	messages := 0
	for _, b := range m.list {
		messages += len(b.plays)
		ok, v := c.tryPlay(b)
		if ok {
			m.desk.delays.note(time.Duration(sys.Monotonic() - b.came))
		}
		if v != nil {
			fell = v
		}
	}
	m.desk.settle(messages)
	if fell != nil {
		panic(fell)
	}
}

// tryPlay is play, and what it panicked with.
func (c *conductor) tryPlay(b batch) (entered bool, fell any) {
	defer func() { fell = recover() }()
	return c.play(b), nil
}

// play enters the batch and answers each message. It is false if none has entered.
func (c *conductor) play(b batch) bool {
	in, err := c.rig.enter(b)
	for i := range b.plays {
		p, err := &b.plays[i], err
		if p.asker == nil {
			continue
		}
		if p.refused != nil {
			err = p.refused
		}
		if by := max(int64(in.block)*int64(c.rig.geo.Block)-p.due, 0) + b.behind; err == nil && p.timed && by > 0 {
			p.asker.late(float64(by) / float64(c.rig.geo.Rate))
		}
		p.asker.answer(err)
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
func (r *rig) enter(b batch) (in entered, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range b.plays {
		p := &b.plays[i]
		for k := range p.commands {
			if p.commands[k], p.refused = r.translate(p.commands[k], b.plan); p.refused != nil {
				p.commands = nil
				break
			}
			p.commands[k].Plan = r.present.number
		}
	}
	return r.put(b.plays)
}

// put numbers the commands of a batch, puts them into every attached ring, and only then commits them, all at once: a
// block has all of them or none. A worker whose ring has no room is killed rather than waited for; if that is so of all, the
// batch is refused. The answer of each message is kept for as long as its commands may still turn out to be poison. The rig is locked.
func (r *rig) put(plays []play) (in entered, err error) {
	all, timed := count(plays)
	n := uint64(all)
	if n == 0 {
		return in, nil
	}
	if err := r.takes(plays, n); err != nil {
		return in, err
	}
	before := r.log.last
	fed := make([]*slot, 0, shm.MaxSlots)
	for _, s := range r.slots {
		if !s.attached() || s.cmds.Tail() != before || s.phase == joining && s.cmds.Room() < n {
			continue // or it is being fed, in order
		}
		if s.cmds.Room() < n {
			r.giveUp(s, fmt.Sprintf("it has not taken %d commands", shm.CommandEntries-s.cmds.Room()))
			continue
		}
		fed = append(fed, s)
	}
	var few [8]shm.Command
	list := few[:0]
	for i := range plays {
		p := &plays[i]
		for k, c := range p.commands {
			r.log.last++
			c.Seq = r.log.last
			list = append(list, c)
			asker := p.asker
			if k < len(p.commands)-1 {
				asker = nil // one message, one answer
			}
			r.log.add(c, asker)
			r.meter.note(c, r.present.plan)
			r.noted(c, false)
		}
	}
	r.log.join(n)
	for _, s := range fed {
		_ = s.cmds.Put(list...) // there is room: only more of it comes
	}
	in.last = r.log.last
	r.control.Commit(in.last)
	if timed > 0 {
		in.block = r.entry(in.last)
	}
	return in, nil
}

// takes says why a batch of n commands cannot enter now. The rig is locked.
func (r *rig) takes(plays []play, n uint64) error {
	switch {
	case r.stopping:
		return errStopped
	case r.silent != "":
		return fmt.Errorf("nothing plays: %s", r.silent)
	case n > batchMost:
		return errBatch
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
	if had := len(r.log.commands) + int(n); had > logMax || had > shm.CommandEntries && r.control.Transport() == shm.Idle {
		return errLogFull
	}
	return r.waiting.take(plays, r.control.Clock()*uint64(r.geo.Block))
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

// waiting counts the commands that wait for their frame.
type waiting struct{ frames []uint64 }

// take adds those of a batch, at the frame that plays; it is an error, and none is added, if there are too many.
func (w *waiting) take(plays []play, clock uint64) error {
	_, timed := count(plays)
	if timed == 0 {
		return nil
	}
	if len(w.frames)+timed > waitingMost {
		left := w.frames[:0]
		for _, f := range w.frames {
			if f > clock {
				left = append(left, f)
			}
		}
		w.frames = left
	}
	if len(w.frames)+timed > waitingMost {
		return errWaiting
	}
	for _, p := range plays {
		for _, c := range p.commands {
			if p.timed {
				w.frames = append(w.frames, c.Frame)
			}
		}
	}
	return nil
}
