package actors

import (
	"fmt"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/supervise"
	"github.com/music-chronus/chronus/actors/report"
)

// engineActor is the actor by which a program has its engine. The supervisor hangs under it with a
// strategy of its own, so that no failure reaches the program's actors. The program's strategy may
// restart the engineActor; the engine then plays on, since all state lies in serving.
type engineActor struct {
	serving *serving
	leaving bool
}

// Receive implements actor.Actor.
func (a *engineActor) Receive(ctx actor.Context) {
	defer a.recoverPanic(ctx)
	e, subscribers := a.serving.engine, &a.serving.subscribers
	switch m := ctx.Message().(type) {
	case *actor.Started:
		a.start(ctx)
	case *actor.Restarting:
		a.leaving = true
	case *actor.Stopping:
		a.leaving = true
		e.gone.Store(true)
		go e.Stop() // waits for this actor, if its parent stops it
	case *actor.Stopped:
		a.serving.tree.pending.Fail(true, replica.ErrStopped)
	case *actor.Terminated:
		if name, ours := supervise.ChildName(ctx.Self(), m.Who); ours && name == treeName && !a.leaving {
			a.startTree(ctx)
		}
		subscribers.remove(m.Who)
	case *actor.ReceiveTimeout:
	case EngineEvent:
		subscribers.notify(ctx, m)
	case Subscribe, Unsubscribe:
		subscribers.handle(ctx, e)
	case statusDue:
		subscribers.sendStatus(ctx, e, m)
	case Forwarded:
		a.serving.carryOut(m.Request, once(m.Answer))
	default:
		a.serving.carryOut(m, answerTo(ctx))
	}
}

// recoverPanic reports a panic as an event, and answers the present request.
func (a *engineActor) recoverPanic(ctx actor.Context) {
	if r := recover(); r != nil {
		a.serving.engine.emit(report.ActorFailed{Actor: ctx.Self().Id, Reason: fmt.Sprint(r)})
		respond(ctx, Refused{RefusedInvalid, fmt.Sprintf("%T: the engine failed to carry it out: %v", ctx.Message(), r)})
	}
}

func (a *engineActor) start(ctx actor.Context) {
	e := a.serving.engine
	if e.gone.Load() { // stopped during a restart
		ctx.Stop(ctx.Self())
		return
	}
	e.tree.Store(supervise.ChildPID(ctx.Self(), treeName))
	a.startTree(ctx)
}

// startTree starts the supervisor.
func (a *engineActor) startTree(ctx actor.Context) {
	t := a.serving.tree
	props := actor.PropsFromProducer(func() actor.Actor { return &supervisor{tree: t} },
		actor.WithSupervisor(treeStrategy(a.serving.engine.emit)))
	if _, err := ctx.SpawnNamed(props, treeName); err != nil {
		a.serving.engine.finishStart(fmt.Errorf("spawn the supervisor: %w", err))
	}
}

// respond answers the sender of the present message, if it has one.
func respond(ctx actor.Context, m any) {
	if ctx.Sender() != nil {
		ctx.Respond(m)
	}
}

// answerTo returns a function that answers the sender of the present message. Any goroutine may
// call it; the first answer counts.
func answerTo(ctx actor.Context) func(any) {
	root, to := ctx.ActorSystem().Root, ctx.Sender()
	if to == nil {
		return func(any) {}
	}
	return once(func(m any) { root.Send(to, m) })
}

// once passes on the first answer. A second one comes if a command proves to be poison.
func once(answer func(any)) func(any) {
	var o sync.Once
	return func(m any) { o.Do(func() { answer(m) }) }
}

// RequestOf returns the present request of an actor that stands in an engine's place, and the
// function that answers it, whether or not the request was Forwarded.
func RequestOf(ctx actor.Context) (request any, answer func(any)) {
	if c, ok := ctx.Message().(Forwarded); ok {
		return c.Request, c.Answer
	}
	return ctx.Message(), answerTo(ctx)
}
