// Package patching carries out patch changes while an engine plays.
//
// A change has two phases. First every worker makes the new plan ready, beside its render loop: one
// worker after the other, a standby first. A patch that crashes every worker which loads it has
// then crashed one standby, and is refused. Second, one command, which enters one block in all
// workers, makes them go on with the plan.
package patching

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/report"
)

// Workers is what a change needs of the workers. replica.Set implements it.
type Workers interface {
	// Propose gives a patch a number. The error is plans.ErrTooMany until a checkpoint frees the
	// plans before it.
	Propose(name string, text []byte) (*plans.Version, error)
	// TryCommit commands the change if every worker has made the plan ready.
	TryCommit(v *plans.Version, p *plans.Preparation, now time.Time, q commandlog.Requester) (head uint64, all bool, err error)
	// FindEntry looks for the first block from n on that has the plan.
	FindEntry(n uint64, v *plans.Version) (at uint64, in bool, err error)
	// Forget drops a refused plan.
	Forget(v *plans.Version)
	// RecordOrigin records which text was requested, so that a later engine may be started with it.
	RecordOrigin(text []byte) error
	// PatchChanged reports a change that was carried out, and completes its Commit.
	PatchChanged(v *plans.Version, block uint64) report.Commit
	// Stopping returns a channel that is closed when the engine is stopped.
	Stopping() <-chan struct{}
}

// Patcher carries out one change after the other.
type Patcher struct {
	workers  Workers
	timeouts timing.Timeouts
	stopped  error         // what a change returns when the engine is stopped
	busy     chan struct{} // holds the token of the change that is under way
}

// New returns a Patcher. stopped is the error of changes that a stop ends.
func New(w Workers, t timing.Timeouts, stopped error) *Patcher {
	return &Patcher{workers: w, timeouts: t, stopped: stopped, busy: make(chan struct{}, 1)}
}

// Change makes every worker go on with another patch, and returns once it plays. requested: an
// engine after this one is started with this text. answer, if not nil, is called should the change
// prove to be poison after Change has returned without an error. With an error, the patch before
// plays on.
func (p *Patcher) Change(ctx context.Context, name string, text []byte, requested bool, answer func(error)) (report.Commit, error) {
	result := &plans.Result{Answer: answer}
	c, err := p.change(ctx, name, text, requested, commandlog.RequesterFunc(result.LeftOut))
	return c, result.Return(err)
}

func (p *Patcher) change(ctx context.Context, name string, text []byte, requested bool, q commandlog.Requester) (c report.Commit, err error) {
	select {
	case p.busy <- struct{}{}:
	case <-ctx.Done():
		return c, ctx.Err()
	}
	defer func() { <-p.busy }()
	v, err := p.workers.Propose(name, text)
	for errors.Is(err, plans.ErrTooMany) && ctx.Err() == nil { // a checkpoint follows soon
		time.Sleep(p.timeouts.Snapshot / 4)
		v, err = p.workers.Propose(name, text)
	}
	if err != nil {
		return c, err
	}
	head, err := p.commit(ctx, v, q)
	if err != nil {
		p.workers.Forget(v)
		return c, err
	}
	if requested {
		if err := p.workers.RecordOrigin(text); err != nil {
			return c, err
		}
	}
	block, err := p.AwaitEntry(ctx, head, v)
	if err != nil {
		return c, err
	}
	return p.workers.PatchChanged(v, block), nil
}

// commit waits until every worker has made the plan ready, and commands the change. head is a block
// before it.
func (p *Patcher) commit(ctx context.Context, v *plans.Version, q commandlog.Requester) (head uint64, err error) {
	var prepared plans.Preparation
	limit := 2 * p.timeouts.MakePlan
	for began := time.Now(); ; {
		head, all, err := p.workers.TryCommit(v, &prepared, time.Now(), q)
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
		case <-p.workers.Stopping():
			return 0, p.stopped
		case <-time.After(time.Millisecond):
		}
	}
}

// AwaitEntry waits for the first block from head on that has plan v.
func (p *Patcher) AwaitEntry(ctx context.Context, head uint64, v *plans.Version) (uint64, error) {
	for n := head; ; {
		at, in, err := p.workers.FindEntry(n, v)
		if n = at; in || err != nil {
			return n, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-p.workers.Stopping():
			return 0, p.stopped
		case <-time.After(time.Millisecond):
		}
	}
}
