package replica

import (
	"errors"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// Propose implements patching.Workers: it compiles a patch and gives it a number.
func (r *Set) Propose(name string, text []byte) (*plans.Version, error) {
	plan, err := r.plans.Compile(name, text)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.plans.Rejected(text) {
		return nil, fmt.Errorf("patch %s: %w", name, plans.ErrRejected)
	}
	return r.addPlan(name, text, plan)
}

// addPlan numbers a patch and puts its text where the workers find it.
func (r *Set) addPlan(name string, text []byte, plan *patch.Plan) (*plans.Version, error) {
	needed := map[uint64]bool{r.checkpoint.last.Plan: true}
	for _, c := range r.log.Commands() {
		if c.Op == shm.OpPlan {
			needed[uint64(c.Value)], needed[c.Plan] = true, true
		}
	}
	for _, s := range r.slots {
		if s.Phase == slots.Starting {
			needed[s.Begin.State.Plan] = true
		}
	}
	v, err := r.plans.Add(name, text, plan, needed)
	if errors.Is(err, plans.ErrTooMany) {
		r.checkpoint.soon = true
	}
	return v, err
}

// setCurrent makes v the plan that commands are for from now on.
func (r *Set) setCurrent(v *plans.Version) {
	if was := r.plans.Current(); was != nil {
		r.meter.PlanChanged(was.Plan, v.Plan, v.Seq == 0 && was.Previous != v.Number)
	}
	r.plans.SetCurrent(v)
	if v.Plan != nil {
		r.obs.PlanChanged(v)
	}
}

// Forget implements patching.Workers.
func (r *Set) Forget(v *plans.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plans.Forget(v.Number)
}

// PatchChanged implements patching.Workers.
func (r *Set) PatchChanged(v *plans.Version, block uint64) report.Commit {
	c := report.Commit{Number: v.Number, Block: block, Frame: block * uint64(r.mem.Geometry.Block)}
	r.obs.Event(report.PatchChanged{Name: v.Name, Commit: c})
	return c
}

// TryCommit implements patching.Workers: it commands the change if every worker has made the plan
// ready, and reports whether that is so.
func (r *Set) TryCommit(v *plans.Version, p *plans.Preparation, now time.Time, q commandlog.Requester) (head uint64, all bool, err error) {
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

// prepare asks the next worker that has not made the plan ready to do so, and reports whether all
// have, and the change before is over.
func (r *Set) prepare(v *plans.Version, p *plans.Preparation, now time.Time) (all bool, err error) {
	switch {
	case r.life.stopping:
		return false, ErrStopped
	case r.life.silent != "":
		return false, fmt.Errorf("nothing plays: %s", r.life.silent)
	case r.plans.Current().Number != v.Previous:
		return false, plans.ErrReplaced
	}
	workers := make([]plans.Preparer, len(r.slots))
	for i, s := range r.slots {
		workers[i] = plans.Preparer{
			Slot: i, Generation: s.Generation, Living: s.Fed(), Ready: s.Phase == slots.Ready, Commands: s.Commands,
		}
	}
	var active int
	readActive := func() int {
		active = r.mem.Control.Active().Slot()
		return active
	}
	limit := r.cfg.Timeouts.MakePlan
	done, late, err := p.Step(v, workers, readActive, now, limit)
	if late >= 0 {
		r.condemn(r.slots[late], "hung, patch not ready within "+limit.String())
	}
	return done && r.mem.Journal.Published(active) >= r.changeDoneAt, err
}

// FindEntry implements patching.Workers: it looks for that block, from n on, among those that a
// worker has published. The decision of any other block may still be replaced by one that leaves
// the change out.
func (r *Set) FindEntry(n uint64, v *plans.Version) (at uint64, in bool, err error) {
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
			from, to := commandlog.EnteredWith(r.mem.Journal, n, r.checkpoint.last.State)
			r.revert(v.Previous, to == from+1) // before the requester can ask again
			return n, false, fmt.Errorf("quarantined: the change crashed a worker in block %d and is left out", n)
		case ok && d.Seq() >= v.Seq:
			return n, true, nil
		}
	}
	return n, false, nil
}

// RecordOrigin implements patching.Workers.
func (r *Set) RecordOrigin(text []byte) error {
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
