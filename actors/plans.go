package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// A patch is changed while it plays in two steps. First every worker makes the new plan ready, off its render loop, one worker after the other, a
// standby first: a patch that ends whoever loads it has ended one standby, and is refused. Then one command, which enters one block in all
// workers, has them go on with it.

// planned is a patch that plays, has played a moment ago, or is about to.
type planned struct {
	number uint64
	name   string // for messages
	text   []byte
	plan   *patch.Plan // nil: its text cannot be compiled any more
	before uint64      // the plan that it followed
	seq    uint64      // of the command that had the workers go on with it; 0: they began with it
}

var (
	errManyPlans = fmt.Errorf("more than %d other patches within a second: try again", shm.Plans-2)
	errFailed    = errors.New("this very patch has ended workers: change it")
)

// makeLimit is how long a worker may take to make a plan ready, and deathsMost how many may end while they do.
const (
	makeLimit  = 5 * time.Second
	deathsMost = 3
)

// compile checks a patch for this engine.
func (r *rig) compile(name string, text []byte) (*patch.Plan, error) {
	p, err := patch.Parse(name, text)
	if err != nil {
		return nil, err
	}
	p.Modules = r.cfg.Modules
	return patch.Compile(p, int(r.geo.Rate), int(r.geo.Block), int(r.geo.Channels))
}

// addPlan numbers a patch and puts its text where the workers find it: in a place of the store that nobody needs any more.
func (r *rig) addPlan(name string, text []byte, plan *patch.Plan) (*planned, error) {
	needed := map[uint64]bool{r.kept.Plan: true}
	if r.present != nil {
		needed[r.present.number] = true
	}
	for _, c := range r.log.Commands() {
		if c.Op == shm.OpPlan {
			needed[uint64(c.Value)], needed[c.Plan] = true, true
		}
	}
	for _, s := range r.slots {
		if s.phase == starting {
			needed[s.want.state.Plan] = true
		}
	}
	for n := range r.planned {
		if !needed[n] {
			delete(r.planned, n)
		}
	}
	places := map[uint64]bool{}
	for n := range needed {
		places[n%shm.Plans] = true
	}
	for number := r.lastPlan + 1; number <= r.lastPlan+shm.Plans; number++ {
		if places[number%shm.Plans] {
			continue
		}
		if err := r.plans.Put(number, text); err != nil {
			return nil, err
		}
		r.lastPlan = number
		p := &planned{number: number, name: name, text: text, plan: plan}
		if r.present != nil {
			p.before = r.present.number
		}
		r.planned[p.number] = p
		return p, nil
	}
	r.keepSoon = true
	return nil, errManyPlans
}

// play makes a plan the present one: commands are for it from now on.
func (r *rig) play(p *planned) {
	r.meter.replan(r.present, p)
	r.present = p
	r.plans.SetCurrent(p.number)
	if p.plan != nil {
		r.replanned(p)
	}
}

// presentPatch returns the number of the plan that plays, and its patch's name and text.
func (r *rig) presentPatch() (number uint64, name string, text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.present.number, r.present.name, r.present.text
}

// textOf is the text of a plan.
func (r *rig) textOf(number uint64) ([]byte, error) {
	if p := r.planned[number]; p != nil {
		return p.text, nil
	}
	return r.plans.Reader().Text(number)
}

// recall is a plan by its number; one of an engine before is compiled again. nil: its text is gone.
func (r *rig) recall(number uint64) *planned {
	if p := r.planned[number]; p != nil {
		return p
	}
	text, err := r.plans.Reader().Text(number)
	if err != nil {
		return nil
	}
	p := &planned{number: number, name: r.cfg.PatchName, text: text}
	p.plan, _ = r.compile(p.name, text)
	r.planned[number] = p
	return p
}

// translate gives a command the numbers of the present plan that was resolved with another: its sender knows nodes by their ids.
func (r *rig) translate(c shm.Command, plan uint64) (shm.Command, error) {
	if plan == r.present.number || c.Op == shm.OpPlan {
		return c, nil
	}
	was := r.planned[plan]
	if was == nil || was.plan == nil || r.present.plan == nil || int(c.Node) >= len(was.plan.Nodes()) {
		return c, errReplanned
	}
	n := &was.plan.Nodes()[c.Node]
	for i, now := range r.present.plan.Nodes() {
		if now.ID == n.ID && now.Desc == n.Desc {
			c.Node = uint16(i)
			return c, nil
		}
	}
	return c, fmt.Errorf("node %q is gone: the patch has been changed", n.ID)
}

// tryChange is change, whose asker is answered whenever the change turns out to be poison.
func (r *rig) tryChange(ctx context.Context, name string, text []byte, asked bool, asker commandlog.Requester) (c Commit, err error) {
	select {
	case r.changing <- struct{}{}:
	case <-ctx.Done():
		return c, ctx.Err()
	}
	defer func() { <-r.changing }()
	plan, err := r.compile(name, text)
	if err != nil {
		return c, err
	}
	p, err := r.propose(name, text, plan)
	for errors.Is(err, errManyPlans) && ctx.Err() == nil { // a snapshot is kept soon, and the plans before it are needed no more
		time.Sleep(askPatience / 4)
		p, err = r.propose(name, text, plan)
	}
	if err != nil {
		return c, err
	}
	head, err := r.commit(ctx, p, asker)
	if err != nil {
		r.mu.Lock()
		delete(r.planned, p.number)
		r.mu.Unlock()
		return c, err
	}
	if asked {
		if err := r.askedFor(text); err != nil {
			return c, err
		}
	}
	if c.Block, err = r.enters(ctx, head, p); err != nil {
		return c, err
	}
	c.Number, c.Frame = p.number, c.Block*uint64(r.geo.Block)
	r.emit(report.PatchChanged{Name: name, Commit: c})
	return c, nil
}

func (r *rig) propose(name string, text []byte, plan *patch.Plan) (*planned, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed[xxhash.Sum64(text)] {
		return nil, fmt.Errorf("patch %s: %w", name, errFailed)
	}
	return r.addPlan(name, text, plan)
}

// round is what has been seen of workers that make a plan ready.
type round struct {
	slot   *slot // that was asked; nil: none
	gen    uint64
	since  time.Time
	deaths int
}

// commit waits until every worker has made the plan ready, and commands the change. head is a block that is before it.
func (r *rig) commit(ctx context.Context, p *planned, asker commandlog.Requester) (head uint64, err error) {
	var asked round
	for began := time.Now(); ; {
		head, all, err := r.tryCommit(p, &asked, time.Now(), asker)
		switch {
		case err != nil:
			return 0, fmt.Errorf("patch %s: %w", p.name, err)
		case all:
			return head, nil
		case time.Since(began) > 2*makeLimit:
			return 0, fmt.Errorf("patch %s: not every worker has made it ready within %v", p.name, 2*makeLimit)
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("patch %s: %w", p.name, ctx.Err())
		case <-r.quit:
			return 0, errStopped
		case <-time.After(time.Millisecond):
		}
	}
}

// tryCommit commands the change if every worker has made the plan ready, and tells whether that is so.
func (r *rig) tryCommit(p *planned, asked *round, now time.Time, asker commandlog.Requester) (head uint64, all bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all, err = r.makeReady(p, asked, now); err != nil || !all {
		return 0, false, err
	}
	head = r.journal.Published(r.control.Active().Slot())
	p.seq, err = r.broadcast(shm.Command{Op: shm.OpPlan, Plan: p.before, Value: float64(p.number)}, asker)
	if err != nil {
		return 0, false, err
	}
	r.settles = head + uint64(r.geo.Rate/r.geo.Block)/50 + 4
	r.play(p)
	return head, true, nil
}

// makeReady asks the next worker that has not made the plan ready to do so, and tells whether all have, and the change before is over.
func (r *rig) makeReady(p *planned, asked *round, now time.Time) (all bool, err error) {
	switch {
	case r.stopping:
		return false, errStopped
	case r.silent != "":
		return false, fmt.Errorf("nothing plays: %s", r.silent)
	case r.present.number != p.before:
		return false, errReplanned
	}
	if s := asked.slot; s != nil {
		made, err := false, error(nil)
		ended := s.gen != asked.gen || !s.attached()
		if !ended { // else its words may be gone
			made, err = s.cmds.PlanReady(p.number)
		}
		switch {
		case ended:
			if asked.deaths++; asked.deaths >= deathsMost {
				return false, fmt.Errorf("%d workers ended while they made it ready", asked.deaths)
			}
			asked.slot = nil
		case err != nil:
			return false, err
		case made:
			asked.slot = nil
		case now.Sub(asked.since) > makeLimit && s.phase == ready:
			r.condemn(s, "hung, patch not ready within "+makeLimit.String())
			return false, fmt.Errorf("worker %d has not made it ready within %v", s.number, makeLimit)
		default:
			return false, nil
		}
	}
	active := r.control.Active().Slot()
	attached := 0
	for i := 1; i <= len(r.slots); i++ { // the active one last
		s := r.slots[(active+i)%len(r.slots)]
		if !s.attached() {
			continue
		}
		attached++
		if made, _ := s.cmds.PlanReady(p.number); !made {
			if s.number == active && attached == 1 && len(r.slots) > 1 {
				return false, nil // the only one that lives does not try what nobody has tried
			}
			s.cmds.RequestPlan(p.number, p.before)
			asked.slot, asked.gen, asked.since = s, s.gen, now
			return false, nil
		}
	}
	return attached > 0 && r.journal.Published(active) >= r.settles, nil
}

// enters is the first block that has plan p, of those from head on.
func (r *rig) enters(ctx context.Context, head uint64, p *planned) (uint64, error) {
	for n := head; ; {
		at, in, err := r.entering(n, p)
		if n = at; in || err != nil {
			return n, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-r.quit:
			return 0, errStopped
		case <-time.After(time.Millisecond):
		}
	}
}

// entering looks for that block, from n on, among those that somebody has published: of any other, what is decided may be left out yet.
func (r *rig) entering(n uint64, p *planned) (at uint64, in bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopping:
		return n, false, errStopped
	case r.silent != "":
		return n, false, fmt.Errorf("nothing plays: %s", r.silent)
	}
	if r.present != p {
		return n, false, fmt.Errorf("quarantined: workers ended of it, and %s plays on", r.present.name)
	}
	for r.noteTop(); n < r.poison.top; n++ {
		switch d, ok := r.journal.Decision(n); {
		case ok && d.Seq() >= p.seq && d.Skip():
			from, to, _ := r.entered(n)
			r.revert(p.before, to == from+1) // before whoever asked can ask again
			return n, false, fmt.Errorf("quarantined: a worker ended in block %d, which it entered; it is left out", n)
		case ok && d.Seq() >= p.seq:
			return n, true, nil
		}
	}
	return n, false, nil
}

// askedFor puts on record which text was asked for, so that an engine after this one may be started with it.
func (r *rig) askedFor(text []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept.Origin = xxhash.Sum64(text)
	return r.store.Put(r.kept)
}

// revert goes back to the plan of a number: the change from it was left out. guilty: nothing else was left out with it.
func (r *rig) revert(number uint64, guilty bool) {
	was, now := r.present, r.recall(number)
	if now == nil || was == now {
		return
	}
	if guilty {
		r.failed[xxhash.Sum64(was.text)] = true
	}
	r.play(now)
	r.emit(report.PatchReverted{From: was.name, To: now.name, Commit: was.number})
}

// Patch has the engine go on with another patch, and returns once it plays: nodes that have their id and type in both keep their state, what changes of the
// cables fades over 10 ms, and of values those change that are others in this text than in the one before. name stands for the patch in messages. With
// an error the patch before plays on. asked tells that this is what the engine was started with, in a later form.
func (e *Engine) Patch(ctx context.Context, name string, text []byte, asked bool) (Commit, error) {
	return e.rig.change(ctx, name, text, asked, nil)
}
