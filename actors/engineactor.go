package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/ask"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/subscribers"
	"github.com/music-chronus/chronus/actors/internal/supervise"
	"github.com/music-chronus/chronus/actors/report"
)

// engineActor receives a program's requests. It supervises the tree with a strategy of its own, so
// that no failure reaches the program's actors. The program's strategy may restart the engineActor.
// The engine then continues, since all state lies in serving.
type engineActor struct {
	serving *serving
	leaving bool
}

// Receive implements actor.Actor.
func (a *engineActor) Receive(ctx actor.Context) {
	defer a.recoverPanic(ctx)
	e, list := a.serving.engine, &a.serving.subscribers
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
		list.Remove(m.Who)
	case *actor.ReceiveTimeout:
	case EngineEvent:
		list.Notify(ctx, m)
	case Subscribe, Unsubscribe:
		e.subscribe(ctx, list)
	case subscribers.StatusDue:
		e.sendStatus(ctx, list, m)
	case Forwarded:
		a.serving.carryOut(m.Request, ask.Once(m.Answer))
	default:
		a.serving.carryOut(m, ask.AnswerTo(ctx))
	}
}

// recoverPanic reports a panic as an event, and answers the present request.
func (a *engineActor) recoverPanic(ctx actor.Context) {
	if r := recover(); r != nil {
		a.serving.engine.emit(report.ActorFailed{Actor: ctx.Self().Id, Reason: fmt.Sprint(r)})
		ask.Respond(ctx, Refused{RefusedInvalid, fmt.Sprintf("%T: the engine failed to carry it out: %v", ctx.Message(), r)})
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

// RequestOf returns the present request of an actor that stands in an engine's place, and the
// function that answers it, whether or not the request was Forwarded.
func RequestOf(ctx actor.Context) (request any, answer func(any)) {
	if c, ok := ctx.Message().(Forwarded); ok {
		return c.Request, c.Answer
	}
	return ctx.Message(), ask.AnswerTo(ctx)
}
