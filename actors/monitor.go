package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/supervise"
)

// eventsMax is the number of events that a status has.
const eventsMax = 64

// monitor answers status requests, and passes on events to the log, the event stream, subscribers
// and later statuses. The watcher leaves this to an actor, since a log may block.
type monitor struct {
	tree   *tree
	events []string
}

// Receive implements actor.Actor.
func (m *monitor) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case statusRequest:
		m.answer(msg)
	case later:
		msg.do()
	case happened:
		m.remember(ctx, msg.event)
	case fail:
		panic(msg.reason)
	}
}

func (m *monitor) answer(ask statusRequest) {
	if ask.done != nil {
		defer ask.done() // even if answer panics
	}
	ask.answer(m.status())
}

func (m *monitor) remember(ctx actor.Context, ev Event) {
	if len(m.events) == eventsMax {
		m.events = append(m.events[:0], m.events[1:]...)
	}
	m.events = append(m.events, ev.String())
	m.tree.logger.Log(context.Background(), ev.Level(), ev.String())
	ctx.ActorSystem().EventStream.Publish(EngineEvent{Engine: supervise.ParentPID(ctx.Parent()), Event: ev})
	ctx.Send(supervise.ParentPID(ctx.Parent()), EngineEvent{Engine: supervise.ParentPID(ctx.Parent()), Event: ev})
	m.tree.frontend.Event(ev)
}

func (m *monitor) status() Status {
	st := m.tree.set.Status()
	m.tree.frontend.Describe(&st)
	st.Events = append([]string{}, m.events...)
	return st
}
