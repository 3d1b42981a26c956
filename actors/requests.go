package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/replica"
)

// The requests that an engine's actor accepts (see Engine.PID). It answers each to its sender: with
// [Done] unless the request's comment says otherwise, or with a [Refused]. [Handle] has a method
// for each.
type (
	// NoteOn begins a note of a group of voices. The group "" is the one called note.
	NoteOn struct {
		Group    string
		Key      float64 // 0 to 127; 69 is 440 Hz
		Velocity float64 // 0 to 1
	}
	// NoteOff ends a note, or all notes of the group if the key is negative.
	NoteOff struct {
		Group string
		Key   float64
	}
	// SetParam sets a parameter of a node, like /mod/node/param. Nodes "engine" and "seq" have
	// /engine/param and /seq/param.
	SetParam struct {
		Node, Param string
		Value       float64
		Word        string // instead of Value, for parameters that have names
	}
	// SetGate opens the gate of a node; level 0 closes it.
	SetGate struct {
		Node  string
		Level float64
	}
	// Send is an OSC message. osc.Encode says which arguments there are.
	Send struct {
		Address string
		Args    []any
	}
	// Transport starts the sequencer at beat 0, continues where it stopped, or stops it.
	Transport struct{ Do TransportDo }
	// NewPatch plays another patch, like Engine.Patch. The answer is a PatchDone.
	NewPatch struct {
		Name string // for messages
		Text []byte
	}
	// Flip makes another worker the active one.
	Flip struct{}
	// Mute silences the engine, or restores the level before.
	Mute struct{ On bool }
	// BeginTape writes a tape to a new file, until EndTape. There is one tape at a time.
	BeginTape struct{ Path string }
	// EndTape ends the tape. The answer is a TapeDone.
	EndTape struct{}
	// GetStatus asks for the state. The answer is a Status.
	GetStatus struct{}
	// Subscribe subscribes its sender to each EngineEvent, and to a Status at an interval of at
	// least 20 ms if Every is not 0. A second Subscribe changes the interval. The subscription
	// lasts until Unsubscribe, or the end of the sender.
	Subscribe struct{ Every time.Duration }
	// Unsubscribe ends the subscription of its sender.
	Unsubscribe struct{}
	// Forwarded is any of the requests from NoteOn to GetStatus, for actors that pass on requests
	// of others. Answer is called once, from any goroutine, instead of answering the sender.
	Forwarded struct {
		Request any
		Answer  func(any)
	}
)

// The answers.
type (
	// Done says that the request is carried out. Its commands have entered, and will be heard.
	Done struct{}
	// PatchDone says that the patch plays.
	PatchDone struct{ Commit Commit }
	// TapeDone says that the tape is on disk.
	TapeDone struct {
		Path  string
		Bytes int64
	}
	// Refused says why the request is not carried out. It is an error.
	Refused struct {
		Code   RefusedCode
		Reason string
	}
	// EngineEvent is an event of one engine. Subscribers get it, and the engine publishes it on its
	// system's event stream.
	EngineEvent struct {
		Engine *actor.PID // the engine's actor
		Event  Event
	}
)

// TransportDo says what a Transport does.
type TransportDo int

// The values of TransportDo.
const (
	TransportStop TransportDo = iota
	TransportStart
	TransportContinue
)

// RefusedCode classifies a Refused.
type RefusedCode int

// The codes of refusals.
const (
	RefusedInvalid     RefusedCode = iota + 1 // the request is invalid
	RefusedUnknown                            // there is no such request
	RefusedUnavailable                        // the engine cannot carry it out now; try again
	RefusedStopped                            // the engine has been stopped
)

// Error returns the reason.
func (r Refused) Error() string { return r.Reason }

// refusal turns an error into an answer.
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
func isBusy(err error) bool { return plans.Busy(err) || errors.Is(err, errLost) }

// address returns the OSC address and arguments of a request to play; ok is false for any other
// request.
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
