package replica

import (
	"context"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// tryCommit commands the change if every worker has made the plan ready, and reports whether that
// is so.
func (r *Set) tryCommit(v *plans.Version, p *preparation, now time.Time, q commandlog.Requester) (head uint64, all bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all, err = r.prepare(v, p, now); err != nil || !all {
		return 0, false, err
	}
	head = r.mem.Journal.Published(r.mem.Control.Active().Slot())
	v.Seq, err = r.broadcast(shm.Command{Op: shm.OpPlan, Plan: v.Previous, Value: float64(v.Number)}, q)
	if err != nil {
		return 0, false, err
	}
	g := r.mem.Geometry
	r.changeDoneAt = head + uint64(g.Rate/g.Block)/50 + 4
	r.setCurrent(v)
	return head, true, nil
}

// prepare asks the next worker that has not made the plan ready to do so. It reports whether all
// have, and the change before is over.
func (r *Set) prepare(v *plans.Version, p *preparation, now time.Time) (all bool, err error) {
	switch {
	case r.life.stopping:
		return false, ErrStopped
	case r.life.silent != "":
		return false, fmt.Errorf("nothing plays: %s", r.life.silent)
	case r.plans.Current().Number != v.Previous:
		return false, plans.ErrReplaced
	}
	if p.slot != nil {
		if done, err := r.pollPreparation(v, p, now); err != nil || !done {
			return false, err
		}
	}
	active := r.mem.Control.Active().Slot()
	fed := 0
	for i := 1; i <= len(r.slots); i++ { // the active one last
		s := r.slots[(active+i)%len(r.slots)]
		if !s.fed() {
			continue
		}
		fed++
		if made, _ := s.cmds.PlanReady(v.Number); !made {
			if s.number == active && fed == 1 && len(r.slots) > 1 {
				return false, nil // the last living worker does not try what no other worker has tried
			}
			s.cmds.RequestPlan(v.Number, v.Previous)
			p.slot, p.gen, p.since = s, s.gen, now
			return false, nil
		}
	}
	return fed > 0 && r.mem.Journal.Published(active) >= r.changeDoneAt, nil
}

// pollPreparation looks at the worker that was asked to make the plan ready. done: another one may
// be asked.
func (r *Set) pollPreparation(v *plans.Version, p *preparation, now time.Time) (done bool, err error) {
	s := p.slot
	if s.gen != p.gen || !s.fed() { // the words may be unmapped
		if p.deaths++; p.deaths >= maxPreparationDeaths {
			return false, fmt.Errorf("%d workers ended while they made it ready", p.deaths)
		}
		p.slot = nil
		return true, nil
	}
	made, err := s.cmds.PlanReady(v.Number)
	limit := r.cfg.Timeouts.MakePlan
	switch {
	case err != nil:
		return false, err
	case made:
		p.slot = nil
		return true, nil
	case now.Sub(p.since) > limit && s.phase == ready:
		r.condemn(s, "hung, patch not ready within "+limit.String())
		return false, fmt.Errorf("worker %d has not made it ready within %v", s.number, limit)
	}
	return false, nil
}

// awaitEntry waits for the first block from head on that has plan v.
func (r *Set) awaitEntry(ctx context.Context, head uint64, v *plans.Version) (uint64, error) {
	for n := head; ; {
		at, in, err := r.findEntry(n, v)
		if n = at; in || err != nil {
			return n, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-r.quit:
			return 0, ErrStopped
		case <-time.After(time.Millisecond):
		}
	}
}

// findEntry looks for that block, from n on, among those that a worker has published. The decision
// of any other block may still be replaced by one that leaves the change out.
func (r *Set) findEntry(n uint64, v *plans.Version) (at uint64, in bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.life.stopping:
		return n, false, ErrStopped
	case r.life.silent != "":
		return n, false, fmt.Errorf("nothing plays: %s", r.life.silent)
	}
	if now := r.plans.Current(); now != v {
		return n, false, fmt.Errorf("quarantined: workers ended of it, and %s plays on", now.Name)
	}
	for r.noteHeads(); n < r.fault.Head(); n++ {
		switch d, ok := r.mem.Journal.Decision(n); {
		case ok && d.Seq() >= v.Seq && d.Skip():
			from, to := r.enteredWith(n)
			r.revert(v.Previous, to == from+1) // before the requester can ask again
			return n, false, fmt.Errorf("quarantined: a worker ended in block %d, which it entered; it is left out", n)
		case ok && d.Seq() >= v.Seq:
			return n, true, nil
		}
	}
	return n, false, nil
}

// recordOrigin records which text was requested, so that a later engine may be started with it.
func (r *Set) recordOrigin(text []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checkpoint.last.Origin = xxhash.Sum64(text)
	return r.mem.Checkpoints.Put(r.checkpoint.last)
}

// revert goes back to a plan: the change from it was left out. culprit: nothing else was left out
// with it.
func (r *Set) revert(number uint64, culprit bool) {
	was, now := r.plans.Current(), r.plans.Lookup(number)
	if now == nil || was == now {
		return
	}
	if culprit {
		r.plans.Reject(was.Text)
	}
	r.setCurrent(now)
	r.obs.Event(report.PatchReverted{From: was.Name, To: now.Name, Commit: was.Number})
}
