package replica

import (
	"fmt"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// entered is what became of a batch.
type entered struct {
	last  uint64 // Seq of its last command
	block uint64 // the first block that may have it; of a batch with time tags only
}

// EnterBatch enters a batch and answers each of its requests, and reports whether any has entered.
func (r *Set) EnterBatch(b commandlog.Batch) bool {
	in, err := r.enter(b)
	g := r.mem.Geometry
	for i := range b.Requests {
		q, err := &b.Requests[i], err
		if q.Requester == nil {
			continue
		}
		if q.Refused != nil {
			err = q.Refused
		}
		late := max(int64(in.block)*int64(g.Block)-q.Due, 0) + b.Behind
		if err == nil && q.Timed && late > 0 {
			q.Requester.Late(float64(late) / float64(g.Rate))
		}
		q.Requester.Answer(err)
	}
	return err == nil
}

// enter puts a batch before every worker. A request is refused if its node is gone with the plan
// that it was resolved with; the others enter.
func (r *Set) enter(b commandlog.Batch) (in entered, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plans.TranslateBatch(b)
	return r.put(b.Requests)
}

// broadcast enters one command of the current plan. The requester may be nil.
func (r *Set) broadcast(c shm.Command, q commandlog.Requester) (seq uint64, err error) {
	in, err := r.put([]commandlog.Request{{Commands: []shm.Command{c}, Requester: q}})
	return in.last, err
}

// put numbers the commands of a batch, puts them into every fed ring, and commits them only then,
// all at once: a block has all of them or none. A worker whose ring has no room is condemned. If no
// ring has room, the batch is refused. The log keeps each requester while the commands may still
// prove to be poison.
func (r *Set) put(requests []commandlog.Request) (in entered, err error) {
	all, timed := commandlog.Count(requests)
	n := uint64(all)
	if n == 0 {
		return in, nil
	}
	if err := r.admit(requests, n); err != nil {
		return in, err
	}
	rings := r.roomyRings(n)
	var few [8]shm.Command
	list := few[:0]
	for i := range requests {
		q := &requests[i]
		for k, c := range q.Commands {
			requester := q.Requester
			if k < len(q.Commands)-1 {
				requester = nil // one message, one answer
			}
			c = r.log.Append(c, requester)
			list = append(list, c)
			r.meter.Command(c, r.plans.Current().Plan)
			r.obs.CommandEntered(c)
		}
	}
	r.log.Join(n)
	for _, s := range rings {
		_ = s.Commands.Put(list...) // the room only grows
	}
	in.last = r.log.Last()
	r.mem.Control.Commit(in.last)
	if timed > 0 {
		in.block = commandlog.EntryBlock(r.mem.Journal, r.mem.Control.Clock(), in.last)
	}
	return in, nil
}

// roomyRings returns the slots whose rings take n commands now. A ready worker without that much
// room is condemned; a joiner, or a worker that lacks earlier commands, is fed later, in order.
func (r *Set) roomyRings(n uint64) []*slots.Slot {
	last := r.log.Last()
	rings := make([]*slots.Slot, 0, shm.MaxSlots)
	for _, s := range r.slots {
		if !s.Fed() || s.Commands.Tail() != last || s.Phase == slots.Joining && s.Commands.Room() < n {
			continue
		}
		if s.Commands.Room() < n {
			r.condemn(s, fmt.Sprintf("hung, %d commands not consumed", shm.CommandEntries-s.Commands.Room()))
			continue
		}
		rings = append(rings, s)
	}
	return rings
}

// admit returns why a batch of n commands cannot enter now.
func (r *Set) admit(requests []commandlog.Request, n uint64) error {
	switch {
	case r.life.stopping:
		return ErrStopped
	case r.life.silent != "":
		return fmt.Errorf("nothing plays: %s", r.life.silent)
	case n > commandlog.MaxBatch:
		return commandlog.ErrBatchSize
	}
	fed, room := r.slots.Room(n)
	if fed > 0 && room == 0 {
		return commandlog.ErrRingsFull
	}
	// A joiner must have all commands to become ready. Before the engine plays, no ring is emptied.
	if had := r.log.Len() + int(n); had > commandlog.MaxCommands || had > shm.CommandEntries && r.mem.Control.Transport() == shm.Idle {
		return commandlog.ErrLogFull
	}
	return r.log.Reserve(requests, r.mem.Control.Clock()*uint64(r.mem.Geometry.Block))
}

// condemn kills a worker because of what it does or fails to do. The block that it renders, if any,
// is recorded as crashed by it. The cause of the failover is the reason, then ", killed by the
// engine".
func (r *Set) condemn(s *slots.Slot, reason string) {
	if s.Condemned {
		return
	}
	if !r.isStopped(s) {
		r.mem.Journal.SetCause(s.Number, s.Generation, shm.CauseHung, 0)
	}
	r.dismiss(s, reason)
}

// dismiss kills a worker that did nothing wrong: no crash is recorded for the block that it
// renders.
func (r *Set) dismiss(s *slots.Slot, reason string) {
	if s.Condemned {
		return
	}
	s.Condemned, s.Reason = true, reason
	r.obs.Event(report.WorkerKilled{Slot: s.Number, PID: s.Process.PID, Reason: reason})
	s.Kill()
}
