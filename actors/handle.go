package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// requestWait is how long a request may take whose context has no deadline.
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
func (e *Engine) PID() *actor.PID { return e.face }

// System is the actor system that the engine lives in.
func (e *Engine) System() *actor.ActorSystem { return e.system }

// Handle is a handle on the engine.
func (e *Engine) Handle() Handle { return NewHandle(e.system, e.face) }

// PID is the engine's actor.
func (h Handle) PID() *actor.PID { return h.pid }

// Request sends any request and returns what answers it. A Refused is the error. It waits until the deadline of ctx, 5 s without one.
func (h Handle) Request(ctx context.Context, request any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	wait := requestWait
	if at, ok := ctx.Deadline(); ok {
		wait = max(0, time.Until(at)) // a negative one would be for ever
	}
	answer, err := h.root.RequestFuture(h.pid, request, wait).Result()
	switch {
	case errors.Is(err, actor.ErrDeadLetter):
		return nil, Refused{RefusedStopped, errStopped.Error()}
	case errors.Is(err, actor.ErrTimeout):
		return nil, fmt.Errorf("%T: no answer within %v: %w", request, wait, context.DeadlineExceeded)
	case err != nil:
		return nil, fmt.Errorf("%T: %w", request, err)
	}
	if r, ok := answer.(Refused); ok {
		return nil, r
	}
	return answer, nil
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

// NewPatch has the engine go on with another patch.
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
