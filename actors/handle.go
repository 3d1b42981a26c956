package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/ask"
	"github.com/music-chronus/chronus/actors/internal/replica"
)

// requestWait bounds a request whose context has no deadline, unless it lasts (see lasts).
const requestWait = 5 * time.Second

// Handle reaches an engine through its actor: each method sends a request and waits for the answer.
// A Handle may be copied. Any number of goroutines may use it.
type Handle struct {
	root *actor.RootContext
	pid  *actor.PID
}

// NewHandle returns a handle on the engine whose actor is pid.
func NewHandle(system *actor.ActorSystem, pid *actor.PID) Handle { return Handle{system.Root, pid} }

// PID returns the engine's actor. It terminates when the engine has ended.
func (e *Engine) PID() *actor.PID { return e.pid }

// System returns the actor system that the engine lives in.
func (e *Engine) System() *actor.ActorSystem { return e.system }

// Handle returns a handle on the engine.
func (e *Engine) Handle() Handle { return NewHandle(e.system, e.pid) }

// PID returns the engine's actor.
func (h Handle) PID() *actor.PID { return h.pid }

// Request sends a request and returns its answer. A Refused is returned as the error. Request waits
// until ctx ends. If ctx has no deadline, Request waits 5 s, or for NewPatch and EndTape as long as
// the engine works on them. The engine answers any other request at once, unless an actor failed.
func (h Handle) Request(ctx context.Context, request any) (any, error) {
	answer, err := ask.Do(ctx, h.root, h.pid, request, patience(ctx, request), lasts(request))
	switch {
	case errors.Is(err, ask.ErrEnded):
		return nil, Refused{RefusedStopped, replica.ErrStopped.Error()}
	case err != nil:
		return nil, err
	}
	if r, ok := answer.(Refused); ok {
		return nil, r
	}
	return answer, nil
}

// lasts reports whether the engine works on a request after its actor has read it.
func lasts(request any) bool {
	switch request.(type) {
	case NewPatch, EndTape:
		return true
	}
	return false
}

// patience returns the longest wait for an answer. Below 0, only ctx bounds it.
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

func (h Handle) done(ctx context.Context, request any) error {
	_, err := h.Request(ctx, request)
	return err
}

// NoteOn begins a note. The requests of the same names describe this and the following methods.
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

// Send sends an OSC message.
func (h Handle) Send(ctx context.Context, address string, args ...any) error {
	return h.done(ctx, Send{address, args})
}

// Transport starts, continues or stops the sequencer.
func (h Handle) Transport(ctx context.Context, do TransportDo) error {
	return h.done(ctx, Transport{do})
}

// NewPatch plays another patch. Every worker prepares it first, which takes milliseconds, and
// seconds if it crashes workers. The engine continues when ctx ends.
func (h Handle) NewPatch(ctx context.Context, name string, text []byte) (Commit, error) {
	d, err := answerOf[PatchDone](ctx, h, NewPatch{name, text})
	return d.Commit, err
}

// Flip makes another worker the active one.
func (h Handle) Flip(ctx context.Context) error { return h.done(ctx, Flip{}) }

// Mute silences the engine, or restores its level.
func (h Handle) Mute(ctx context.Context, on bool) error { return h.done(ctx, Mute{on}) }

// BeginTape begins a tape.
func (h Handle) BeginTape(ctx context.Context, path string) error {
	return h.done(ctx, BeginTape{path})
}

// EndTape ends the tape.
func (h Handle) EndTape(ctx context.Context) (TapeDone, error) {
	return answerOf[TapeDone](ctx, h, EndTape{})
}

// Status returns the engine's present state.
func (h Handle) Status(ctx context.Context) (Status, error) {
	return answerOf[Status](ctx, h, GetStatus{})
}

// Subscribe subscribes an actor to events, and to the status at an interval; 0: no status.
func (h Handle) Subscribe(who *actor.PID, every time.Duration) {
	h.root.RequestWithCustomSender(h.pid, Subscribe{every}, who)
}

// Unsubscribe ends the subscription of an actor.
func (h Handle) Unsubscribe(who *actor.PID) {
	h.root.RequestWithCustomSender(h.pid, Unsubscribe{}, who)
}

// answerOf is Request for an answer of type T.
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
