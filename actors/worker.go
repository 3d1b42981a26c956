package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/report"
)

// workerProxy sees to it that one slot has a worker. The process itself belongs to the rig: a
// proxy that panics is started again and finds it running.
type workerProxy struct {
	rig  *rig
	slot int
	lives
}

// lives is the restart budget of a process: one that had been fit is replaced at once, those that
// die before they are fit wait longer each time.
type lives struct {
	first, most time.Duration
	failures    int    // in a row, of processes that never became fit
	waiting     uint64 // number of the retry that is pending
}

// newLives starts at 20 ms and ends at 2 s.
func newLives() lives { return lives{first: 20 * time.Millisecond, most: 2 * time.Second} }

// after is the delay before the next start, given whether the one that ended had never been fit.
func (l *lives) after(young bool) time.Duration {
	if !young {
		l.failures = 0
		return 0
	}
	l.failures++
	return backOff(l.first, l.most, l.failures)
}

// retryAfter sends a retry to self after d; the one before it is void.
func (l *lives) retryAfter(ctx actor.Context, d time.Duration) {
	l.waiting++
	root, self, n := ctx.ActorSystem().Root, ctx.Self(), l.waiting
	time.AfterFunc(d, func() { root.Send(self, retry{n}) })
}

// Receive implements actor.Actor.
func (p *workerProxy) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.spawn(ctx)
	case died:
		if d := p.after(m.young); d > 0 {
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
	if err := p.rig.spawn(p.slot); err != nil {
		d := p.after(true)
		p.rig.emit(report.WorkerFailed{Slot: p.slot, Err: err, After: d})
		p.retryAfter(ctx, d)
	}
}
