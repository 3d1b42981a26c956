package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/replica"
)

// requestWait is how long a request that is answered at once may take if its context has no deadline.
const requestWait = 5 * time.Second

// Handle is an engine as the actors of its program see it: each method is a request to the engine's actor, and its answer. It may be copied,
// and used by many goroutines at once.
type Handle struct {
	root *actor.RootContext
	pid  *actor.PID
}

// NewHandle is a handle on the engine whose actor is pid.
func NewHandle(system *actor.ActorSystem, pid *actor.PID) Handle { return Handle{system.Root, pid} }

// PID is the engine's actor. Whoever watches it is told when the engine has ended.
func (e *Engine) PID() *actor.PID { return e.pid }

// System is the actor system that the engine lives in.
func (e *Engine) System() *actor.ActorSystem { return e.system }

// Handle is a handle on the engine.
func (e *Engine) Handle() Handle { return NewHandle(e.system, e.pid) }

// PID is the engine's actor.
func (h Handle) PID() *actor.PID { return h.pid }

// Request sends any request and returns what answers it. A Refused is the error. It waits until the end of ctx. Without a deadline it waits for
// a NewPatch and an EndTape as long as the engine is at it, and ends when that ends; for anything else 5 s: that is answered at once, or was lost
// with an actor that failed.
func (h Handle) Request(ctx context.Context, request any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	future := actor.NewFuture(h.root.ActorSystem(), patience(ctx, request))
	defer context.AfterFunc(ctx, func() { h.root.Stop(future.PID()) })()
	if lasts(request) {
		h.tell(&actor.Watch{Watcher: future.PID()})
		defer h.tell(&actor.Unwatch{Watcher: future.PID()})
	}
	h.root.RequestWithCustomSender(h.pid, request, future.PID())
	answer, err := future.Result()
	_, ended := answer.(*actor.Terminated)
	switch {
	case ended, errors.Is(err, actor.ErrDeadLetter):
		return nil, Refused{RefusedStopped, replica.ErrStopped.Error()}
	case errors.Is(err, actor.ErrTimeout):
		return nil, fmt.Errorf("%T: no answer in time: %w", request, context.DeadlineExceeded)
	case err != nil:
		return nil, fmt.Errorf("%T: %w", request, err)
	case answer == nil:
		return nil, fmt.Errorf("%T: it was given up: %w", request, ctx.Err())
	}
	if r, ok := answer.(Refused); ok {
		return nil, r
	}
	return answer, nil
}

// lasts tells whether the engine may be at a request for longer than it takes to look at it.
func lasts(request any) bool {
	switch request.(type) {
	case NewPatch, EndTape:
		return true
	}
	return false
}

// patience is how long a request is waited for at the most; below 0: ctx alone says.
func patience(ctx context.Context, request any) time.Duration {
	at, ok := ctx.Deadline()
	switch {
	case ok:
		return max(0, time.Until(at))
	case lasts(request):
		return -1
	}
	return requestWait
}

// tell gives the engine's actor a message of protoactor's own.
func (h Handle) tell(m any) {
	to, _ := h.root.ActorSystem().ProcessRegistry.Get(h.pid) // of one that has ended that for dead letters, which answers
	to.SendSystemMessage(h.pid, m)
}

func (h Handle) done(ctx context.Context, request any) error {
	_, err := h.Request(ctx, request)
	return err
}

// NoteOn begins a note: see the request of that name, as for all that follow.
func (h Handle) NoteOn(ctx context.Context, group string, key, velocity float64) error {
	return h.done(ctx, NoteOn{group, key, velocity})
}

// NoteOff ends a note.
func (h Handle) NoteOff(ctx context.Context, group string, key float64) error {
	return h.done(ctx, NoteOff{group, key})
}

// AllNotesOff ends all notes of a group.
func (h Handle) AllNotesOff(ctx context.Context, group string) error {
	return h.done(ctx, NoteOff{group, -1})
}

// Set sets a parameter.
func (h Handle) Set(ctx context.Context, node, param string, value float64) error {
	return h.done(ctx, SetParam{Node: node, Param: param, Value: value})
}

// Gate opens or closes a gate.
func (h Handle) Gate(ctx context.Context, node string, level float64) error {
	return h.done(ctx, SetGate{node, level})
}

// Send sends what an OSC client would.
func (h Handle) Send(ctx context.Context, address string, args ...any) error {
	return h.done(ctx, Send{address, args})
}

// Transport tells the sequencer.
func (h Handle) Transport(ctx context.Context, do TransportDo) error {
	return h.done(ctx, Transport{do})
}

// NewPatch has the engine go on with another patch. Every worker makes it ready first, which takes some milliseconds, and seconds if workers end of it; the
// engine goes on with that when ctx has ended.
func (h Handle) NewPatch(ctx context.Context, name string, text []byte) (Commit, error) {
	d, err := answerOf[PatchDone](ctx, h, NewPatch{name, text})
	return d.Commit, err
}

// Flip has another worker be heard.
func (h Handle) Flip(ctx context.Context) error { return h.done(ctx, Flip{}) }

// Mute takes the sound away, or gives it back.
func (h Handle) Mute(ctx context.Context, on bool) error { return h.done(ctx, Mute{on}) }

// BeginTape begins to write a tape.
func (h Handle) BeginTape(ctx context.Context, path string) error {
	return h.done(ctx, BeginTape{path})
}

// EndTape ends it.
func (h Handle) EndTape(ctx context.Context) (TapeDone, error) {
	return answerOf[TapeDone](ctx, h, EndTape{})
}

// Status is the engine's state now.
func (h Handle) Status(ctx context.Context) (Status, error) {
	return answerOf[Status](ctx, h, GetStatus{})
}

// Subscribe has who be told what happens, and the status so often; who's own sender need not be this goroutine.
func (h Handle) Subscribe(who *actor.PID, every time.Duration) {
	h.root.RequestWithCustomSender(h.pid, Subscribe{every}, who)
}

// Unsubscribe ends that.
func (h Handle) Unsubscribe(who *actor.PID) {
	h.root.RequestWithCustomSender(h.pid, Unsubscribe{}, who)
}

// answerOf is Request for answers of one type.
func answerOf[T any](ctx context.Context, h Handle, what any) (t T, err error) {
	answer, err := h.Request(ctx, what)
	if err != nil {
		return t, err
	}
	t, ok := answer.(T)
	if !ok {
		return t, fmt.Errorf("%T was answered with a %T", what, answer)
	}
	return t, nil
}
