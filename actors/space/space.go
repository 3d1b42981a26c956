// Package space knows the OSC addresses of a plan: which ones exist, what each accepts, which
// commands its messages become, and what it was last set to.
//
//	s, err := space.New(plan)
//	...
//	commands, err := s.Resolve(message)
//
// A [Space] is immutable. [Values] holds what the addresses of one plan were last set to, and a
// [Tracker] follows both over changes of the patch.
package space

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

// Kind says what the messages of an address do.
type Kind int

// The kinds of routes.
const (
	Command       Kind = iota // messages become commands: they set, open a gate, or play a note
	Compatibility             // likewise, at an address of the program that Chronus succeeds
	PatchCommand              // messages change the patch, or list patches
	Query                     // messages ask for an answer, or subscribe to something
)

// Route is one address and what its messages do. Exactly one of three things carries a message
// out: Handler if it is set, else Resolve, else the command that New knows of a plan's own address.
type Route struct {
	osc.Entry
	Kind Kind
	// Resolve turns one message into commands without Seq. It may keep state of its own; several
	// goroutines call it.
	Resolve func(Call) ([]shm.Command, error)
	// Handler is what carries out a PatchCommand or a Query. A Space only passes it on.
	Handler any

	command shm.Command // without Seq and Value
}

// Call is a message for a Route's Resolve.
type Call struct {
	Plan   *patch.Plan
	Words  []any         // the arguments: string or float64, as many as the entry accepts
	Waited time.Duration // since the message arrived
}

// Space is the OSC addresses of one plan. It never changes, so any number of goroutines may use it.
type Space struct {
	plan   *patch.Plan
	osc    *osc.Space
	routes []Route // by entry
}

// New lists the addresses of a plan, and the given routes after them. The plan's own are
// /engine/<param>, /mod/<id>/<param>, /gate/<id>, and /engine/freq if the plan names a frequency.
// A group of voices adds /note/<group>/on, off and pressure; a plan with tracks adds /seq and
// /pattern. An address that is listed twice is an error.
func New(plan *patch.Plan, routes ...Route) (*Space, error) {
	s := &Space{plan: plan, routes: append(planRoutes(plan), routes...)}
	entries := make([]osc.Entry, len(s.routes))
	for i := range s.routes {
		entries[i] = s.routes[i].Entry
	}
	var err error
	if s.osc, err = osc.NewSpace(entries); err != nil {
		return nil, fmt.Errorf("patch %s: %w", plan.Name, err)
	}
	return s, nil
}

// Entries lists the addresses, in the order of their numbers. The slice is for reading only.
func (s *Space) Entries() []osc.Entry { return s.osc.Entries() }

// OSC returns the addresses without what they do.
func (s *Space) OSC() *osc.Space { return s.osc }

// Plan returns the plan that the addresses belong to.
func (s *Space) Plan() *patch.Plan { return s.plan }

// Route returns what the address with the given number does.
func (s *Space) Route(entry int) *Route { return &s.routes[entry] }

// Match is what a message's address names.
type Match struct {
	Route *Route // nil: the address is a pattern
	Words []any  // the arguments for a PatchCommand: string or float64
	Count int    // for a pattern: the matching addresses that accept the arguments
}

// Resolve turns a message into commands without Seq. There are none if the address belongs to a
// Handler.
func (s *Space) Resolve(m *osc.Message) (commands []shm.Command, err error) {
	var p osc.Patterns
	p.Reset()
	commands, _, err = s.Append(nil, m, &p)
	return commands, err
}

// Append appends the commands of a message to a slice. For numbers, gates and notes it allocates
// nothing. A pattern yields the commands of every address that matches it and accepts the
// arguments; if none accepts them, the error is that of the first.
func (s *Space) Append(
	to []shm.Command, m *osc.Message, p *osc.Patterns,
) (commands []shm.Command, found Match, err error) {
	if osc.IsPattern(m.Address) {
		return s.appendMatching(to, m, p)
	}
	entry, err := s.osc.Find(m.Address)
	if err != nil {
		return to, found, err
	}
	r := &s.routes[entry]
	found.Route = r
	switch {
	case r.Handler != nil && r.Kind == PatchCommand:
		value, err := s.osc.Take(entry, m.Args)
		found.Words = value.Words
		return to, found, err
	case r.Handler != nil:
		return to, found, nil
	case r.Resolve != nil:
		value, err := s.osc.Take(entry, m.Args)
		if err != nil {
			return to, found, err
		}
		more, err := r.Resolve(Call{Plan: s.plan, Words: value.Words, Waited: m.Waited})
		return append(to, more...), found, err
	}
	to, err = s.appendCommands(to, entry, m.Args)
	return to, found, err
}

func (s *Space) appendMatching(
	to []shm.Command, m *osc.Message, p *osc.Patterns,
) (commands []shm.Command, found Match, err error) {
	entries, err := p.Match(s.osc, m.Address)
	if err != nil {
		return to, found, err
	}
	for _, entry := range entries {
		var refused error
		if to, refused = s.appendCommands(to, entry, m.Args); refused == nil {
			found.Count++
		} else if err == nil {
			err = fmt.Errorf("%s: %w", s.routes[entry].Address, refused)
		}
	}
	if found.Count > 0 {
		err = nil
	}
	return to, found, err
}
