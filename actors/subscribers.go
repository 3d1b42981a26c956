package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// minStatusInterval is the shortest interval at which a subscriber gets a status.
const minStatusInterval = 20 * time.Millisecond

// subscribers are the actors that receive an engine's events. Only the engine's actor uses them.
type subscribers struct{ list map[string]*subscriber }

type subscriber struct {
	pid   *actor.PID
	every time.Duration // between two statuses; 0: none
	round uint64        // of its timer; a tick of an earlier round is void
}

// statusDue says that a subscriber's next status is due.
type statusDue struct {
	key   string
	round uint64
}

func subscriberKey(pid *actor.PID) string { return pid.Address + "/" + pid.Id }

func (s *subscribers) remove(pid *actor.PID) { delete(s.list, subscriberKey(pid)) }

// notify sends an event to all subscribers.
func (s *subscribers) notify(ctx actor.Context, ev EngineEvent) {
	for _, to := range s.list {
		ctx.Send(to.pid, ev)
	}
}

// handle carries out a Subscribe or Unsubscribe.
func (s *subscribers) handle(ctx actor.Context, e *Engine) {
	pid := ctx.Sender()
	if pid == nil {
		return
	}
	k := subscriberKey(pid)
	to := s.list[k]
	m, on := ctx.Message().(Subscribe)
	switch {
	case !on:
		delete(s.list, k)
		if to != nil {
			ctx.Unwatch(pid)
		}
		ctx.Respond(Done{})
		return
	case m.Every < 0:
		ctx.Respond(Refused{RefusedInvalid, fmt.Sprintf("subscribe: every %v: want 0, or %v and more", m.Every, minStatusInterval)})
		return
	case to == nil:
		to = &subscriber{pid: pid}
		if s.list == nil {
			s.list = map[string]*subscriber{}
		}
		s.list[k] = to
		ctx.Watch(pid)
	}
	if to.every, to.round = m.Every, to.round+1; to.every > 0 {
		to.every = max(to.every, minStatusInterval)
		s.sendStatus(ctx, e, statusDue{k, to.round})
	}
	ctx.Respond(Done{})
}

// sendStatus sends a subscriber its status, and starts the timer of the next one.
func (s *subscribers) sendStatus(ctx actor.Context, e *Engine, m statusDue) {
	to := s.list[m.key]
	if to == nil || to.round != m.round {
		return
	}
	root, self, pid := ctx.ActorSystem().Root, ctx.Self(), to.pid
	e.send(monitorName, statusRequest{answer: func(st Status) {
		e.sign(&st)
		root.Send(pid, st)
	}})
	time.AfterFunc(to.every, func() {
		if !e.gone.Load() {
			root.Send(self, m)
		}
	})
}
