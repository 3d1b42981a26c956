package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/subscribers"
)

// subscribe carries out a Subscribe or Unsubscribe.
func (e *Engine) subscribe(ctx actor.Context, list *subscribers.List) {
	pid := ctx.Sender()
	if pid == nil {
		return
	}
	m, on := ctx.Message().(Subscribe)
	switch {
	case !on:
		if list.Remove(pid) {
			ctx.Unwatch(pid)
		}
	case m.Every < 0:
		ctx.Respond(Refused{RefusedInvalid,
			fmt.Sprintf("subscribe: every %v: want 0, or %v and more", m.Every, subscribers.MinInterval)})
		return
	default:
		due, added := list.Add(pid, m.Every)
		if added {
			ctx.Watch(pid)
		}
		e.sendStatus(ctx, list, due)
	}
	ctx.Respond(Done{})
}

// sendStatus sends a subscriber its status, and starts the timer of the next one.
func (e *Engine) sendStatus(ctx actor.Context, list *subscribers.List, m subscribers.StatusDue) {
	pid, next := list.Due(m)
	if pid == nil {
		return
	}
	root, self := ctx.ActorSystem().Root, ctx.Self()
	e.send(monitorName, statusRequest{answer: func(st Status) {
		e.sign(&st)
		root.Send(pid, st)
	}})
	time.AfterFunc(next, func() {
		if !e.gone.Load() {
			root.Send(self, m)
		}
	})
}
