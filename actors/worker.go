package actors

import (
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
	supervise.Retries
}

// Receive implements actor.Actor.
func (p *workerProxy) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.spawn(ctx)
	case workerEnded:
		if d := p.Ended(!m.NeverReady); d > 0 {
			p.RetryAfter(ctx, d)
			return
		}
		p.spawn(ctx)
	case supervise.Retry:
		if p.Due(m) {
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
		p.RetryAfter(ctx, d)
	}
}
