// Package frontend is the OSC side of an engine: the socket, the addresses of the plan that plays,
// the messages that wait to enter, queries, subscribers and discovery.
//
// A Frontend outlives the actors that serve it, so that their restart loses no packet. It knows the
// engine only as the interface [Engine].
package frontend

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
	"github.com/music-chronus/chronus/osc/query"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm"
)

// None as an address means: do not listen.
const None = "none"

// Config says where a Frontend listens, and gives it what it needs of its engine.
type Config struct {
	OSC      string        // host:port, of UDP and TCP; None: no OSC
	Access   server.Access // which machines may play, and the token for more than playing
	OSCQuery string        // host:port of OSCQuery; "": queryAbove OSC's port; None: no OSCQuery
	NoMDNS   bool          // do not announce the server by mDNS
	Logger   *slog.Logger

	Drafts *drafts.Store
	// Frame returns the next frame to play. Any goroutine calls it, until Close.
	Frame func() uint64
	// Refusal gives an error of the engine the code that its /fail is counted by.
	Refusal func(error) error
	// Load returns a process's mean and peak load in percent of one core.
	Load func(pid int, now time.Time) (mean, peak float64)
}

// Engine carries out what messages ask for. No method waits: each passes its arguments on to an
// actor. What Enter gets is entered in the order of the calls.
type Engine interface {
	// Enter numbers the commands of batches: see Batches.Enter.
	Enter(b Batches)
	// Status calls answer with the engine's status, and then done. If answering fails it calls done
	// all the same.
	Status(answer func(report.Status), done func())
	// Later calls do between two status requests.
	Later(do func())
	// Edit carries out a patch command, after those that were passed on before.
	Edit(r drafts.Request)
	// AfterEdits calls do after the patch commands that were passed on before.
	AfterEdits(do func())
}

// Frontend is an engine's OSC server and its addresses. Any number of goroutines may use it, except
// for what a method says.
type Frontend struct {
	cfg       Config
	tracker   *space.Tracker
	server    *server.Server // nil: none
	feed      *feed.Feed
	query     *query.Server    // nil: none
	announcer *query.Announcer // nil: none
	timeline  *osc.Timeline    // nil: no clock is sampled

	inFlight         atomic.Int64 // messages that have no answer yet
	requestsInFlight atomic.Int64 // requests for the status or for values
	dropped          atomic.Uint64
	latencies        latencyHistogram

	closing sync.RWMutex // guards closed: afterwards Frame is not called
	closed  bool
}

// New opens the OSC server of an engine whose first plan is given. The caller closes the Frontend.
func New(cfg Config, plan *patch.Plan) (f *Frontend, err error) {
	f = &Frontend{cfg: cfg}
	if f.tracker, err = space.NewTracker(plan, Routes()...); err != nil {
		return nil, err
	}
	f.feed = feed.New(func() feed.Values { return f.View() })
	if cfg.OSC != None {
		if f.server, err = server.Listen(cfg.OSC, cfg.Access); err != nil {
			return f, err
		}
		f.server.SetLogger(cfg.Logger)
		f.server.OnAnswer(f.dumpAnswer)
	}
	return f, err
}

// Close ends the server, the subscriptions and discovery.
func (f *Frontend) Close() {
	if f.announcer != nil {
		f.announcer.Close()
	}
	if f.query != nil {
		f.query.Close()
	}
	if f.feed != nil {
		f.feed.Close()
	}
	if f.server != nil {
		_ = f.server.Close()
	}
	f.closing.Lock()
	defer f.closing.Unlock()
	f.closed = true
}

// Reset forgets what was on its way to the actors, which have ended.
func (f *Frontend) Reset() {
	f.inFlight.Store(0)
	f.requestsInFlight.Store(0)
	f.cfg.Drafts.Reset()
}

// Drafts returns the drafts of the patch.
func (f *Frontend) Drafts() *drafts.Store { return f.cfg.Drafts }

// View returns the addresses that exist now, with what they were last set to.
func (f *Frontend) View() *space.View {
	v := f.tracker.View()
	f.closing.RLock()
	defer f.closing.RUnlock()
	if !f.closed {
		v.Values().ApplyDue(f.cfg.Frame())
	}
	return v
}

// Resolve returns the commands of a message that does not come from a peer, and the number of the
// plan that they are for. A query or a patch command is an error: its answer has nowhere to go.
func (f *Frontend) Resolve(m *osc.Message) (commands []shm.Command, plan uint64, err error) {
	v := f.tracker.View()
	var p osc.Patterns
	p.Reset()
	commands, found, err := v.Routes().Append(nil, m, &p)
	if err == nil && found.Route != nil && found.Route.Handler != nil {
		err = errPeerless
	}
	return commands, v.Number(), err
}

// ChangePlan makes the addresses those of another plan. It is called by one goroutine at a time, as
// Record and Undo.
func (f *Frontend) ChangePlan(c space.Change) error { return f.tracker.Change(c) }

// Record records a command that has entered.
func (f *Frontend) Record(c shm.Command) { f.tracker.Record(c, f.cfg.Frame()) }

// Undo takes back a command that was left out.
func (f *Frontend) Undo(c shm.Command) { f.tracker.Undo(c) }

// Describe adds what the Frontend knows to a status.
func (f *Frontend) Describe(st *report.Status) {
	st.OSC = None
	if f.query != nil {
		st.OSCQuery = f.query.Addr().String()
	}
	if f.server != nil {
		st.OSC = f.server.Addr().String()
		s := f.server.Stats()
		s.Dropped = f.dropped.Load()
		st.OSCStats, st.OSCDelays = &s, f.latencies.counts()
	}
}
