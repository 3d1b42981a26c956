package actors

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/osc"
)

// serving is what an engine's own actor needs.
type serving struct {
	engine *Engine
	tree   *tree
	taping sync.Mutex
	tape   *taping // nil: none is written
	told   map[string]*subscriber
}

// face is an engine's own actor: what the actors of a program know of it. The tree hangs under it, supervised by our strategy, so that nothing
// of it reaches the program's. It waits for nobody, and never fails; but the program's strategy may restart it with others that did, and then the
// engine plays on: all that lasts is outside of it.
type face struct {
	serving *serving
	leaving bool
}

// subscriber is an actor that gets what happens.
type subscriber struct {
	pid   *actor.PID
	every time.Duration
	round uint64 // of its timer; a tick of an earlier one is void
}

// statusDue: a subscriber's next status.
type statusDue struct {
	key   string
	round uint64
}

// leastEvery is how often at the most a subscriber gets a status.
const leastEvery = 20 * time.Millisecond

// Receive implements actor.Actor.
func (f *face) Receive(ctx actor.Context) {
	defer func() {
		if r := recover(); r != nil { // a bug, which is told, and is not the program's
			f.serving.engine.emit(report.ActorFailed{Actor: ctx.Self().Id, Reason: fmt.Sprint(r)})
			respond(ctx, Refused{RefusedInvalid, fmt.Sprint("the engine could not carry it out: ", r)})
		}
	}()
	e := f.serving.engine
	switch m := ctx.Message().(type) {
	case *actor.Started:
		if e.gone.Load() { // it was restarted as it was stopped
			ctx.Stop(ctx.Self())
			return
		}
		e.tree.Store(childPID(ctx.Self(), treeName))
		f.plant(ctx)
	case *actor.Restarting:
		f.leaving = true
	case *actor.Stopping:
		f.leaving = true
		e.gone.Store(true)
		go e.Stop() // its parent may be what ended it
	case *actor.Stopped:
		f.serving.tree.errands.lose(true, errStopped)
	case *actor.Terminated:
		if name, ours := childName(ctx.Self(), m.Who); ours && name == treeName && !f.leaving {
			f.plant(ctx)
		}
		delete(f.serving.told, key(m.Who))
	case *actor.ReceiveTimeout:
	case EngineEvent:
		for _, s := range f.serving.told {
			ctx.Send(s.pid, m)
		}
	case Subscribe, Unsubscribe:
		f.subscribe(ctx)
	case statusDue:
		f.report(ctx, m)
	case Forwarded:
		f.serving.carryOut(m.Request, once(m.Answer))
	default:
		f.serving.carryOut(m, answerTo(ctx))
	}
}

// plant starts the tree.
func (f *face) plant(ctx actor.Context) {
	t := f.serving.tree
	props := actor.PropsFromProducer(func() actor.Actor { return &supervisor{tree: t} }, actor.WithSupervisor(treeStrategy(f.serving.engine.emit)))
	if _, err := ctx.SpawnNamed(props, treeName); err != nil {
		f.serving.engine.settle(fmt.Errorf("spawn the supervisor: %w", err))
	}
}

func key(pid *actor.PID) string { return pid.Address + "/" + pid.Id }

// respond answers the sender of the present message, if it has one.
func respond(ctx actor.Context, m any) {
	if ctx.Sender() != nil {
		ctx.Respond(m)
	}
}

// answerTo answers the sender of the present message later, from whatever goroutine; the first answer counts.
func answerTo(ctx actor.Context) func(any) {
	root, to := ctx.ActorSystem().Root, ctx.Sender()
	if to == nil {
		return func(any) {}
	}
	return once(func(m any) { root.Send(to, m) })
}

// once passes on the first answer: there is a second should a command turn out to be poison.
func once(answer func(any)) func(any) {
	var o sync.Once
	return func(m any) { o.Do(func() { answer(m) }) }
}

// RequestOf is the request that an actor has before it, and how to answer it, whether it was Carried or not: for what stands in an engine's place.
func RequestOf(ctx actor.Context) (request any, answer func(any)) {
	if c, ok := ctx.Message().(Forwarded); ok {
		return c.Request, c.Answer
	}
	return ctx.Message(), answerTo(ctx)
}

func (f *face) subscribe(ctx actor.Context) {
	who := ctx.Sender()
	if who == nil {
		return // nobody to tell
	}
	k := key(who)
	s := f.serving.told[k]
	m, on := ctx.Message().(Subscribe)
	switch {
	case !on:
		delete(f.serving.told, k)
		if s != nil {
			ctx.Unwatch(who)
		}
		ctx.Respond(Done{})
		return
	case m.Every < 0:
		ctx.Respond(Refused{RefusedInvalid, fmt.Sprintf("subscribe: every %v: it is 0, or %v and more", m.Every, leastEvery)})
		return
	case s == nil:
		s = &subscriber{pid: who}
		f.serving.told[k] = s
		ctx.Watch(who)
	}
	if s.every, s.round = m.Every, s.round+1; s.every > 0 {
		s.every = max(s.every, leastEvery)
		f.report(ctx, statusDue{k, s.round})
	}
	ctx.Respond(Done{})
}

// report sends a subscriber its status, and sees to the next.
func (f *face) report(ctx actor.Context, m statusDue) {
	s := f.serving.told[m.key]
	if s == nil || s.round != m.round {
		return
	}
	root, self, to, e := ctx.ActorSystem().Root, ctx.Self(), s.pid, f.serving.engine
	e.send(monitorName, askStatus{answer: func(st Status) {
		e.sign(&st)
		root.Send(to, st)
	}})
	time.AfterFunc(s.every, func() {
		if !e.gone.Load() {
			root.Send(self, m)
		}
	})
}

// carryOut does what a request asks, and answers when it is done.
func (s *serving) carryOut(request any, answer func(any)) {
	done := func(err error) {
		if err != nil {
			answer(refusal(RefusedInvalid, err))
			return
		}
		answer(Done{})
	}
	if to, args, ok := address(request); ok {
		s.play(to, args, done)
		return
	}
	switch m := request.(type) {
	case GetStatus:
		s.status(answer)
	case Flip:
		done(s.engine.Flip())
	case Mute:
		s.mute(m.On, done)
	case NewPatch:
		go s.newPatch(m, answer) // every worker makes it ready: that takes time
	case BeginTape:
		done(s.beginTape(m.Path))
	case EndTape:
		go s.endTape(answer) // it waits for the tape's last blocks
	default:
		answer(Refused{RefusedUnknown, fmt.Sprintf("%T is no request; those of package actors are", request)})
	}
}

// status asks the monitor.
func (s *serving) status(answer func(any)) {
	s.tree.errands.do(func(answered func()) {
		s.engine.send(monitorName, askStatus{answer: func(st Status) {
			answered()
			s.engine.sign(&st)
			answer(st)
		}})
	}, func(err error) { answer(refusal(RefusedUnavailable, err)) })
}

// newPatch has the engine go on with another patch.
func (s *serving) newPatch(m NewPatch, answer func(any)) {
	ctx, cancel := context.WithTimeout(context.Background(), changeLimit)
	defer cancel()
	name := m.Name
	if name == "" {
		name = "from a request"
	}
	c, err := s.engine.Patch(ctx, name, m.Text, false)
	if err != nil {
		answer(refusal(RefusedInvalid, err))
		return
	}
	answer(PatchDone{c})
}

// play passes what an OSC client would send on to the conductor.
func (s *serving) play(to string, args []any, done func(error)) {
	packet, err := osc.Encode(to, args...)
	if err != nil {
		done(err)
		return
	}
	var d osc.Decoder
	known := s.tree.desk.directory.Load()
	d.Decode(packet, func(m *osc.Message) {
		commands, err := known.Resolve(m)
		switch {
		case err != nil:
			done(fmt.Errorf("%s: %w", to, err))
		case len(commands) == 0:
			done(fmt.Errorf("%s asks for an answer that only OSC gives: send GetStatus", to))
		case s.engine.gone.Load():
			done(errStopped)
		default:
			s.tree.errands.do(func(answered func()) {
				answer := func(err error) {
					answered()
					done(err)
				}
				s.engine.send(conductorName, commandlog.Batch{Requests: []commandlog.Request{{Commands: commands, Requester: commandlog.RequesterFunc(answer)}}, Plan: known.plan})
			}, done)
		}
	}, func(e *osc.DecodeError) { done(e) })
}

// mute sets the engine's amp to 0, or back.
func (s *serving) mute(on bool, done func(error)) {
	r := s.engine.rig
	amp, ok := r.mute(on)
	if !ok {
		done(nil) // it is so already
		return
	}
	s.play("/engine/amp", []any{amp}, func(err error) {
		if err != nil {
			r.setMuted(!on)
		}
		done(err)
	})
}
