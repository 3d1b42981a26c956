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
	"github.com/music-chronus/chronus/shm/interleave"
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
	started bool        // run has been started; else made does the work itself

	requested atomic.Uint64                // by the loop, which waits for it; 0: nothing
	present   atomic.Pointer[preparedPlan] // what is rendered
	next      atomic.Pointer[preparedPlan]
}

// preparedPlan is a plan's stream, made to follow another.
type preparedPlan struct {
	plan uint64
	from *stream.Stream
	str  *stream.Stream
	err  error
	next *preparedPlan // what is present once it has taken over
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
	return m.samples.open(c)
}

// setPresent says what the next plan has to follow.
func (m *planBuilder) setPresent(present *preparedPlan) {
	m.present.Store(present)
	interleave.Yield()
	m.requested.Store(0)
	m.cmds.WakePlanBuilder()
}

// release forgets what the loop has taken over to, and with it the stream before.
func (m *planBuilder) release(r *preparedPlan) { m.next.CompareAndSwap(r, nil) }

// prepared is what can go on with a plan in place of the present stream; nil: not yet.
func (m *planBuilder) prepared(plan uint64) (*preparedPlan, error) {
	r := m.next.Load()
	if r == nil || r.plan != plan || r.from != m.present.Load().str {
		if m.requested.Store(plan); m.started {
			interleave.Yield()
			m.cmds.WakePlanBuilder()
			return nil, nil
		}
		m.prepare(plan)
		r = m.next.Load()
	}
	return r, r.err
}

// prepare makes a plan ready.
func (m *planBuilder) prepare(plan uint64) *preparedPlan {
	interleave.Yield()
	r := &preparedPlan{plan: plan, from: m.present.Load().str}
	r.str, r.err = m.build(r.from, plan)
	r.next = &preparedPlan{plan: plan, str: r.str}
	interleave.Yield()
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
	interleave.Yield()
	if plan := m.requested.Load(); plan != 0 && plan != present.plan {
		m.reuseOrPrepare(plan, present)
		return
	}
	switch want, after := m.cmds.RequestedPlan(); {
	case want == 0 || m.cmds.LastPlan() == want:
	case want == present.plan:
		m.cmds.ReportPlan(want, nil)
	case after == present.plan:
		m.cmds.ReportPlan(want, m.reuseOrPrepare(want, present).err)
	}
}

// reuseOrPrepare is the plan, ready to follow what is present.
func (m *planBuilder) reuseOrPrepare(plan uint64, present *preparedPlan) *preparedPlan {
	if r := m.next.Load(); r != nil && r.plan == plan && r.from == present.str {
		return r
	}
	return m.prepare(plan)
}
