package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/report"
)

// audioProxy keeps an audio process running. The rig holds the process.
type audioProxy struct {
	rig *rig
	// refused is called when the first process of this engine cannot play at all. Then the engine does
	// not start. Later processes are tried again forever.
	refused func(error)
	retries
}

// Receive implements actor.Actor.
func (p *audioProxy) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.spawn(ctx)
	case died:
		p.replace(ctx, m)
	case retry:
		if m.gen == p.waiting {
			p.spawn(ctx)
		}
	case fail:
		panic(m.reason)
	}
}

func (p *audioProxy) replace(ctx actor.Context, m died) {
	pid, reason := p.rig.audioReason()
	if reason == "" {
		reason = m.exit.String()
	}
	if m.young && m.gen == 1 {
		p.refused(errors.New(reason))
		return
	}
	d := p.Ended(!m.young)
	p.rig.emit(report.AudioEnded{PID: pid, Cause: reason, After: d})
	if d > 0 {
		p.retryAfter(ctx, d)
		return
	}
	p.spawn(ctx)
}

func (p *audioProxy) spawn(ctx actor.Context) {
	if err := p.rig.spawnAudio(); err != nil {
		d := max(p.Ended(false), 10*time.Millisecond)
		p.rig.emit(report.AudioEnded{Cause: err.Error(), After: d})
		p.retryAfter(ctx, d)
	}
}

// lastWordWait bounds the wait for the last message of a process that has ended.
const lastWordWait = 200 * time.Millisecond

// audioReason returns why the last audio process ended, by its own message.
func (r *rig) audioReason() (pid int, reason string) {
	r.mu.Lock()
	last := r.audio.silent
	r.mu.Unlock()
	select {
	case <-last:
	case <-time.After(lastWordWait):
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.audio.proc.PID, r.audio.reason
}
