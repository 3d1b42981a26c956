package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// A patch change takes two phases. First every worker makes the new plan ready, beside its render
// loop: one worker after the other, a standby first. A patch that crashes whoever loads it has then
// crashed one standby, and is refused. Second, one command, which enters one block in all workers,
// makes them go on with the plan.

// maxPreparationDeaths is how many workers may end while they make a plan ready.
const maxPreparationDeaths = 3

// Change makes every worker go on with another patch, and returns once it plays. requested: an
// engine after this one is started with this text. answer, if not nil, is called should the change
// prove to be poison after Change has returned without an error. With an error, the patch before
// plays on.
func (r *Set) Change(ctx context.Context, name string, text []byte, requested bool, answer func(error)) (report.Commit, error) {
	result := &plans.Result{Answer: answer}
	c, err := r.change(ctx, name, text, requested, commandlog.RequesterFunc(result.LeftOut))
	return c, result.Return(err)
}

func (r *Set) change(ctx context.Context, name string, text []byte, requested bool, q commandlog.Requester) (c report.Commit, err error) {
	select {
	case r.changing <- struct{}{}:
	case <-ctx.Done():
		return c, ctx.Err()
	}
	defer func() { <-r.changing }()
	plan, err := r.plans.Compile(name, text)
	if err != nil {
		return c, err
	}
	v, err := r.propose(name, text, plan)
	for errors.Is(err, plans.ErrTooMany) && ctx.Err() == nil { // a checkpoint follows soon, and frees the plans before it
		time.Sleep(r.cfg.Timeouts.Snapshot / 4)
		v, err = r.propose(name, text, plan)
	}
	if err != nil {
		return c, err
	}
	head, err := r.commit(ctx, v, q)
	if err != nil {
		r.mu.Lock()
		r.plans.Forget(v.Number)
		r.mu.Unlock()
		return c, err
	}
	if requested {
		if err := r.recordOrigin(text); err != nil {
			return c, err
		}
	}
	if c.Block, err = r.awaitEntry(ctx, head, v); err != nil {
		return c, err
	}
	c.Number, c.Frame = v.Number, c.Block*uint64(r.mem.Geometry.Block)
	r.obs.Event(report.PatchChanged{Name: name, Commit: c})
	return c, nil
}

// propose gives a patch a number.
func (r *Set) propose(name string, text []byte, plan *patch.Plan) (*plans.Version, error) {
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
		if s.phase == starting {
			needed[s.begin.state.Plan] = true
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

// preparation is what has been seen of the workers that make a plan ready.
type preparation struct {
	slot   *slot // that was asked; nil: none
	gen    uint64
	since  time.Time
	deaths int
}

// commit waits until every worker has made the plan ready, and commands the change. head is a block
// before it.
func (r *Set) commit(ctx context.Context, v *plans.Version, q commandlog.Requester) (head uint64, err error) {
	var p preparation
	limit := 2 * r.cfg.Timeouts.MakePlan
	for began := time.Now(); ; {
		head, all, err := r.tryCommit(v, &p, time.Now(), q)
		switch {
		case err != nil:
			return 0, fmt.Errorf("patch %s: %w", v.Name, err)
		case all:
			return head, nil
		case time.Since(began) > limit:
			return 0, fmt.Errorf("patch %s: not every worker has made it ready within %v", v.Name, limit)
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("patch %s: %w", v.Name, ctx.Err())
		case <-r.quit:
			return 0, ErrStopped
		case <-time.After(time.Millisecond):
		}
	}
}
