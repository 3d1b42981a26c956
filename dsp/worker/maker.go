package worker

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// What a stream may keep is what a snapshot holds.
var _ = [1]struct{}{}[stream.MaxState-shm.StateMax]

// planBuilder makes the next plan ready while the loop renders the present one: it parses, compiles, builds
// the modules, on a thread of ordinary priority. The loop and the maker hand pointers to one another, and share nothing else that changes.
type planBuilder struct {
	cmds    shm.CommandReader
	plans   shm.PlanReader
	geo     shm.Geometry
	samples sampleOpener
	own     []*dsp.Desc // the program's own modules
	running bool        // run has been started; else made does the work itself

	asked   atomic.Uint64                // by the loop, which waits for it; 0: nothing
	present atomic.Pointer[preparedPlan] // what is rendered
	next    atomic.Pointer[preparedPlan]
}

// preparedPlan is a plan's stream, made to follow another.
type preparedPlan struct {
	plan uint64
	of   *stream.Stream
	str  *stream.Stream
	err  error
	then *preparedPlan // what is present once it has taken over
}

// builderTimeout bounds the sleep of a maker that nobody wants anything of.
const builderTimeout = time.Second

// open makes the stream of a plan.
func (m *planBuilder) open(plan uint64) (*stream.Stream, error) {
	p, err := m.compile(plan)
	if err != nil {
		return nil, err
	}
	return stream.New(p)
}

func (m *planBuilder) compile(plan uint64) (*patch.Plan, error) {
	text, err := m.plans.Text(plan)
	if err != nil {
		return nil, err
	}
	p, err := patch.Parse(fmt.Sprint("plan ", plan), text)
	if err != nil {
		return nil, err
	}
	p.Modules = m.own
	c, err := patch.Compile(p, int(m.geo.Rate), int(m.geo.Block), int(m.geo.Channels))
	if err != nil {
		return nil, err
	}
	return m.samples.with(c)
}

// follow says what the next plan has to follow.
func (m *planBuilder) follow(present *preparedPlan) {
	m.present.Store(present)
	yield()
	m.asked.Store(0)
	m.cmds.WakePlanBuilder()
}

// took forgets what the loop has taken over to, and with it the stream before.
func (m *planBuilder) took(r *preparedPlan) { m.next.CompareAndSwap(r, nil) }

// made is what can go on with a plan in place of the present stream; nil: not yet.
func (m *planBuilder) made(plan uint64) (*preparedPlan, error) {
	r := m.next.Load()
	if r == nil || r.plan != plan || r.of != m.present.Load().str {
		if m.asked.Store(plan); m.running {
			yield()
			m.cmds.WakePlanBuilder()
			return nil, nil
		}
		m.make(plan)
		r = m.next.Load()
	}
	return r, r.err
}

// make makes a plan ready.
func (m *planBuilder) make(plan uint64) *preparedPlan {
	yield()
	r := &preparedPlan{plan: plan, of: m.present.Load().str}
	r.str, r.err = m.build(r.of, plan)
	r.then = &preparedPlan{plan: plan, str: r.str}
	yield()
	m.next.Store(r)
	return r
}

// build is guarded: what panics is refused, and the loop goes on.
func (m *planBuilder) build(of *stream.Stream, plan uint64) (str *stream.Stream, err error) {
	defer func() {
		if x := recover(); x != nil {
			str, err = nil, fmt.Errorf("a module panicked as it was made: %v", x)
		}
	}()
	p, err := m.compile(plan)
	if err != nil {
		return nil, err
	}
	return of.PrepareTransition(p)
}

// run serves the loop and the engine until the process ends. Whoever starts it sets running before.
func (m *planBuilder) run() {
	debug.SetPanicOnFault(true) // a module's wild pointer is why its plan is refused
	m.attend()
}

func (m *planBuilder) attend() {
	for {
		bell := m.cmds.PlanWakeSeq()
		m.serve()
		m.cmds.AwaitPlanRequest(bell, builderTimeout)
	}
}

// serve makes what is wanted, if anything is. What the engine wants is to follow the plan that plays: a joiner that is not there yet, and
// would have to make it again, waits until it is.
func (m *planBuilder) serve() {
	present := m.present.Load()
	yield()
	if plan := m.asked.Load(); plan != 0 && plan != present.plan {
		m.fresh(plan, present)
		return
	}
	switch want, after := m.cmds.RequestedPlan(); {
	case want == 0 || m.cmds.LastPlan() == want:
	case want == present.plan:
		m.cmds.ReportPlan(want, nil)
	case after == present.plan:
		m.cmds.ReportPlan(want, m.fresh(want, present).err)
	}
}

// fresh is the plan, ready to follow what is present.
func (m *planBuilder) fresh(plan uint64, present *preparedPlan) *preparedPlan {
	if r := m.next.Load(); r != nil && r.plan == plan && r.of == present.str {
		return r
	}
	return m.make(plan)
}
