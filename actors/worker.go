package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/supervise"
	"github.com/music-chronus/chronus/actors/report"
)

// workerProxy keeps a worker running in one slot. The Set holds the process, so a proxy that panics
// and restarts finds the process running.
type workerProxy struct {
	set  *replica.Set
	emit func(Event)
	slot int
	retries
}

// retries starts a process again, after a delay if it was never ready.
type retries struct {
	supervise.Backoff
	waiting uint64 // number of the pending retry
}

func newRetries() retries {
	return retries{Backoff: supervise.Backoff{First: 20 * time.Millisecond, Most: 2 * time.Second}}
}

// retryAfter sends a retry to self after d. It cancels an earlier one.
func (l *retries) retryAfter(ctx actor.Context, d time.Duration) {
	l.waiting++
	root, self, n := ctx.ActorSystem().Root, ctx.Self(), l.waiting
	time.AfterFunc(d, func() { root.Send(self, retry{n}) })
}

// Receive implements actor.Actor.
func (p *workerProxy) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.spawn(ctx)
	case workerEnded:
		if d := p.Ended(!m.NeverReady); d > 0 {
			p.retryAfter(ctx, d)
			return
		}
		p.spawn(ctx)
	case retry:
		if m.gen == p.waiting {
			p.spawn(ctx)
		}
	case fail:
		panic(m.reason)
	}
}

func (p *workerProxy) spawn(ctx actor.Context) {
	if err := p.set.StartWorker(p.slot); err != nil {
		d := p.Ended(false)
		p.emit(report.WorkerFailed{Slot: p.slot, Err: err, After: d})
		p.retryAfter(ctx, d)
	}
}
