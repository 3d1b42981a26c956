package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/report"
)

// audioProxy sees to it that there is an audio process. It belongs to the rig, as the workers do.
type audioProxy struct {
	rig *rig
	// refused is told when the first process of this engine cannot play at all: then the engine
	// does not start, and says why. Later ones are tried again for ever.
	refused func(error)
	lives
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
	d := p.after(m.young)
	p.rig.emit(report.AudioEnded{PID: pid, Cause: reason, After: d})
	if d > 0 {
		p.retryAfter(ctx, d)
		return
	}
	p.spawn(ctx)
}

func (p *audioProxy) spawn(ctx actor.Context) {
	if err := p.rig.spawnAudio(); err != nil {
		d := max(p.after(true), 10*time.Millisecond)
		p.rig.emit(report.AudioEnded{Cause: err.Error(), After: d})
		p.retryAfter(ctx, d)
	}
}

// lastWordWait is how long a process that has ended may leave its last word unread.
const lastWordWait = 200 * time.Millisecond

// audioReason is the last audio process's own word on why it ended.
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
