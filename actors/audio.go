package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/supervise"
	"github.com/music-chronus/chronus/actors/report"
)

// audioProxy keeps an audio process running.
type audioProxy struct {
	output *output.Process
	emit   func(Event)
	// refused ends the start of the engine with an error. It is called if the first process cannot
	// play at all. Later processes are replaced for ever.
	refused func(error)
	supervise.Retries
}

// Receive implements actor.Actor.
func (p *audioProxy) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.spawn(ctx)
	case audioEnded:
		p.replace(ctx, m)
	case supervise.Retry:
		if p.Due(m) {
			p.spawn(ctx)
		}
	case fail:
		panic(m.reason)
	}
}

func (p *audioProxy) replace(ctx actor.Context, m audioEnded) {
	pid, reason := p.output.EndReason()
	if reason == "" {
		reason = m.Exit.Exit.String()
	}
	if m.NeverOpen && m.Generation == 1 {
		p.refused(errors.New(reason))
		return
	}
	d := p.Ended(!m.NeverOpen)
	p.emit(report.AudioEnded{PID: pid, Cause: reason, After: d})
	if d > 0 {
		p.RetryAfter(ctx, d)
		return
	}
	p.spawn(ctx)
}

func (p *audioProxy) spawn(ctx actor.Context) {
	if err := p.output.Start(); err != nil {
		d := max(p.Ended(false), 10*time.Millisecond)
		p.emit(report.AudioEnded{Cause: err.Error(), After: d})
		p.RetryAfter(ctx, d)
	}
}
