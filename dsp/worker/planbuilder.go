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

// The largest state of a stream fits a snapshot.
var _ = [1]struct{}{}[stream.MaxState-shm.StateMax]

// planBuilder prepares the next plan while the loop renders the present one. It parses, compiles
// and creates modules on a thread of ordinary priority. It shares only atomic pointers with the
// loop.
type planBuilder struct {
	cmds    shm.CommandReader
	plans   shm.PlanReader
	geo     shm.Geometry
	samples sampleOpener
	own     []*dsp.Desc // modules of the program
	started bool        // run has been started; otherwise prepared does the work itself

	requested atomic.Uint64                // by the loop, which waits for it; 0: none
	present   atomic.Pointer[preparedPlan] // the stream being rendered
	next      atomic.Pointer[preparedPlan]
}

// preparedPlan is the stream of a plan, prepared to follow another stream.
type preparedPlan struct {
	plan uint64
	from *stream.Stream
	str  *stream.Stream
	err  error
	next *preparedPlan // the present one after the switch
}

// builderTimeout bounds one wait for a request.
const builderTimeout = time.Second

// open makes the initial stream of a plan.
func (b *planBuilder) open(plan uint64) (*stream.Stream, error) {
	p, err := b.compile(plan)
	if err != nil {
		return nil, err
	}
	return stream.New(p)
}

func (b *planBuilder) compile(plan uint64) (*patch.Plan, error) {
	text, err := b.plans.Text(plan)
	if err != nil {
		return nil, err
	}
	p, err := patch.Parse(fmt.Sprint("plan ", plan), text)
	if err != nil {
		return nil, err
	}
	p.Modules = b.own
	c, err := patch.Compile(p, int(b.geo.Rate), int(b.geo.Block), int(b.geo.Channels))
	if err != nil {
		return nil, err
	}
	return b.samples.open(c)
}

// setPresent sets the stream that the next plan has to follow.
func (b *planBuilder) setPresent(present *preparedPlan) {
	b.present.Store(present)
	interleave.Yield()
	b.requested.Store(0)
	b.cmds.WakePlanBuilder()
}

// release forgets a plan that the loop has switched to, and so the stream before it.
func (b *planBuilder) release(r *preparedPlan) { b.next.CompareAndSwap(r, nil) }

// prepared returns the stream of a plan that can follow the present one; nil: it is not ready yet.
func (b *planBuilder) prepared(plan uint64) (*preparedPlan, error) {
	r := b.next.Load()
	if r == nil || r.plan != plan || r.from != b.present.Load().str {
		if b.requested.Store(plan); b.started {
			interleave.Yield()
			b.cmds.WakePlanBuilder()
			return nil, nil
		}
		b.prepare(plan)
		r = b.next.Load()
	}
	return r, r.err
}

// prepare prepares a plan.
func (b *planBuilder) prepare(plan uint64) *preparedPlan {
	interleave.Yield()
	r := &preparedPlan{plan: plan, from: b.present.Load().str}
	r.str, r.err = b.build(r.from, plan)
	r.next = &preparedPlan{plan: plan, str: r.str}
	interleave.Yield()
	b.next.Store(r)
	return r
}

// build creates the stream. If a module panics, the plan is rejected, and the loop goes on.
func (b *planBuilder) build(of *stream.Stream, plan uint64) (str *stream.Stream, err error) {
	defer func() {
		if x := recover(); x != nil {
			str, err = nil, fmt.Errorf("a module panicked while it was created: %v", x)
		}
	}()
	p, err := b.compile(plan)
	if err != nil {
		return nil, err
	}
	return of.PrepareTransition(p)
}

// run serves the loop and the engine until the process ends. The caller sets started before.
func (b *planBuilder) run() {
	debug.SetPanicOnFault(true) // a fault of a module becomes a panic, which rejects the plan
	for {
		seq := b.cmds.PlanWakeSeq()
		b.serve()
		b.cmds.AwaitPlanRequest(seq, builderTimeout)
	}
}

// serve prepares a requested plan. The engine's request names the plan that must play before. A
// joiner that is not there yet waits, rather than prepare the plan twice.
func (b *planBuilder) serve() {
	present := b.present.Load()
	interleave.Yield()
	if plan := b.requested.Load(); plan != 0 && plan != present.plan {
		b.reuseOrPrepare(plan, present)
		return
	}
	switch want, after := b.cmds.RequestedPlan(); {
	case want == 0 || b.cmds.LastPlan() == want:
	case want == present.plan:
		b.cmds.ReportPlan(want, nil)
	case after == present.plan:
		b.cmds.ReportPlan(want, b.reuseOrPrepare(want, present).err)
	}
}

// reuseOrPrepare returns a plan that is prepared to follow the present one.
func (b *planBuilder) reuseOrPrepare(plan uint64, present *preparedPlan) *preparedPlan {
	if r := b.next.Load(); r != nil && r.plan == plan && r.from == present.str {
		return r
	}
	return b.prepare(plan)
}
