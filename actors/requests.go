package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/replica"
)

// The requests that an engine's actor takes (see Engine.PID), from any actor of its program. Each is answered to its sender: with [Done], or what
// its comment says, or a [Refused]. [Handle] has a method for each.
type (
	// NoteOn begins a note of a group of voices; "" is the group called note.
	NoteOn struct {
		Group    string
		Key      float64 // 0 to 127; 69 is 440 Hz
		Velocity float64 // 0 to 1
	}
	// NoteOff ends a note, or, with a negative key, all notes of the group.
	NoteOff struct {
		Group string
		Key   float64
	}
	// SetParam sets the parameter of a node, as /mod/node/param does; of node "engine" as /engine/param.
	SetParam struct {
		Node, Param string
		Value       float64
		Word        string // instead of Value, of parameters that have names
	}
	// SetGate opens the gate of a node, or closes it with level 0.
	SetGate struct {
		Node  string
		Level float64
	}
	// Send is what an OSC client would send; the arguments are those that osc.Encode takes.
	Send struct {
		Address string
		Args    []any
	}
	// Transport has the sequencer begin at beat 0, go on where it stopped, or stop.
	Transport struct{ Do TransportDo }
	// NewPatch has the engine go on with another patch, as Engine.Patch does. It is answered with a PatchDone.
	NewPatch struct {
		Name string // for messages
		Text []byte
	}
	// Flip has another worker be heard.
	Flip struct{}
	// Mute takes the sound away, or gives it back as loud as it was.
	Mute struct{ On bool }
	// BeginTape writes a tape to a file that is made anew, until EndTape. One at a time.
	BeginTape struct{ Path string }
	// EndTape ends the tape. It is answered with a TapeDone.
	EndTape struct{}
	// GetStatus is answered with a Status.
	GetStatus struct{}
	// Subscribe has the engine send its sender each EngineEvent, and, if Every is not 0, a Status so often, until Unsubscribe or its end. Asked again it
	// changes how often.
	Subscribe struct{ Every time.Duration }
	// Unsubscribe ends it.
	Unsubscribe struct{}
	// Forwarded is a request of those above up to GetStatus, whose answer is given to a function, once, on whatever goroutine, and not to a sender: for
	// actors that pass on what others ask.
	Forwarded struct {
		Request any
		Answer  func(any)
	}
)

// The answers.
type (
	// Done: it has been carried out; what it concerns has been numbered, and will be heard.
	Done struct{}
	// PatchDone: the patch plays.
	PatchDone struct{ Commit Commit }
	// TapeDone: the tape is on disk.
	TapeDone struct {
		Path  string
		Bytes int64
	}
	// Refused: it has not been carried out, and why. It is an error.
	Refused struct {
		Code   RefusedCode
		Reason string
	}
	// EngineEvent is an event of one engine. It is what an engine publishes on its system's event stream, and what subscribers get.
	EngineEvent struct {
		Engine *actor.PID // the engine's actor
		Event  Event
	}
)

// TransportDo is what a Transport is to do.
type TransportDo int

// What the sequencer can be told.
const (
	TransportStop TransportDo = iota
	TransportStart
	TransportContinue
)

// RefusedCode says of what kind a refusal is.
type RefusedCode int

// The kinds of refusals: what was asked makes no sense; there is no such request; the engine cannot do it now, later perhaps; it has been stopped.
const (
	RefusedInvalid RefusedCode = iota + 1
	RefusedUnknown
	RefusedUnavailable
	RefusedStopped
)

// Error is the reason.
func (r Refused) Error() string { return r.Reason }

// refusal is an error as an answer.
func refusal(code RefusedCode, err error) Refused {
	var r Refused
	switch {
	case errors.As(err, &r):
		return r
	case errors.Is(err, replica.ErrStopped):
		code = RefusedStopped
	case isBusy(err):
		code = RefusedUnavailable
	}
	return Refused{code, err.Error()}
}

// isBusy tells whether the engine may carry out the same request a moment later.
func isBusy(err error) bool {
	for _, busy := range []error{replica.ErrRingsFull, replica.ErrLogFull, plans.ErrReplaced, plans.ErrTooMany, errLost} {
		if errors.Is(err, busy) {
			return true
		}
	}
	return false
}

// address is the OSC address, with its arguments, that a request to play stands for; ok is false if it is none of those.
func address(request any) (address string, args []any, ok bool) {
	group := func(id, verb string) string {
		if id == "" || id == "note" {
			return "/note/" + verb
		}
		return "/note/" + id + "/" + verb
	}
	switch m := request.(type) {
	case NoteOn:
		return group(m.Group, "on"), []any{m.Key, m.Velocity}, true
	case NoteOff:
		if m.Key < 0 {
			return group(m.Group, "off"), nil, true
		}
		return group(m.Group, "off"), []any{m.Key}, true
	case SetParam:
		var v any = m.Value
		if m.Word != "" {
			v = m.Word
		}
		if m.Node == "engine" || m.Node == "seq" {
			return "/" + m.Node + "/" + m.Param, []any{v}, true
		}
		return "/mod/" + m.Node + "/" + m.Param, []any{v}, true
	case SetGate:
		return "/gate/" + m.Node, []any{m.Level}, true
	case Send:
		return m.Address, m.Args, true
	case Transport:
		if m.Do < TransportStop || m.Do > TransportContinue {
			return "/seq/play", []any{fmt.Sprint("transport ", int(m.Do))}, true
		}
		return "/seq/play", []any{[...]string{"stop", "start", "continue"}[m.Do]}, true
	}
	return "", nil, false
}
