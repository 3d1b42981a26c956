package space

import (
	"math"
	"sync/atomic"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

// View is the addresses of one plan together with what they were last set to. It implements
// feed.Values.
type View struct {
	space    *Space
	values   *Values
	number   uint64
	previous *View // of the plan that this one continues; nil: there is none to go back to
}

// Space returns the addresses without what they do.
func (v *View) Space() *osc.Space { return v.space.osc }

// Routes returns the addresses with what they do.
func (v *View) Routes() *Space { return v.space }

// Values returns what the addresses were last set to.
func (v *View) Values() *Values { return v.values }

// Number returns the number of the plan.
func (v *View) Number() uint64 { return v.number }

// Value returns what an address was last set to, and a stamp that differs after each change. ok is
// false if the address has no value.
func (v *View) Value(entry int) (x float64, stamp uint64, ok bool) {
	c := &v.space.routes[entry].command
	if c.Op == 0 || !v.space.routes[entry].HasValue() {
		return 0, 0, false
	}
	at := v.values.cell(c.Op, c.Node, c.Param)
	return math.Float64frombits(at.bits.Load()), at.stamp.Load(), true
}

// All returns what each address that has a value was last set to: a number, or a choice's name.
func (v *View) All() map[string]any {
	all := map[string]any{}
	for i := range v.space.routes {
		if x, _, ok := v.Value(i); ok {
			e := &v.space.routes[i].Entry
			all[e.Address] = e.Argument(x, false)
		}
	}
	return all
}

// Changed returns the values that differ from those that the plan begins with.
func (v *View) Changed() map[string]float64 {
	changed := map[string]float64{}
	for i := range v.space.routes {
		x, _, ok := v.Value(i)
		if !ok {
			continue
		}
		c := &v.space.routes[i].command
		if c.Op == shm.OpGate && x != 0 || c.Op == shm.OpSet && x != v.space.plan.Nodes()[c.Node].Values[c.Param] {
			changed[v.space.routes[i].Address] = x
		}
	}
	return changed
}

// Restore sets addresses to values that Changed has returned. Addresses that do not exist are
// skipped.
func (v *View) Restore(values map[string]float64) {
	for address, x := range values {
		i, ok := v.space.osc.Lookup(address)
		if !ok {
			continue
		}
		c := &v.space.routes[i].command
		if to := v.values.cell(c.Op, c.Node, c.Param); to != nil {
			to.put(x)
		}
	}
}

// undo takes back a command that was left out, in the plan that it was for and in all that
// continue that one.
func (v *View) undo(c shm.Command) {
	if v.number == c.Plan {
		v.values.Undo(c)
		return
	}
	if v.previous == nil {
		return
	}
	v.previous.undo(c)
	for at := v.previous; at != nil; at = at.previous {
		if at.number != c.Plan || int(c.Node) >= len(at.values.plan.Nodes()) {
			continue
		}
		if i := matchingNode(at.values.plan, v.values.plan, int(c.Node)); i >= 0 {
			c.Node = uint16(i)
			v.values.Undo(c)
		}
		return
	}
}

// forgetBeyond forgets the plans before the last n: the engine has not even their texts any more.
func (v *View) forgetBeyond(n int) {
	for ; n > 1 && v != nil; n-- {
		v = v.previous
	}
	if v != nil {
		v.previous = nil
	}
}

// Change says which plan plays from now on.
type Change struct {
	Number  uint64
	Plan    *patch.Plan
	Follows uint64 // the number of the plan before it
	Command bool   // a command has changed to the plan; false: the engine went back to it, or restarted with it
}

// Tracker holds the View of the plan that plays. One goroutine at a time calls Change, Record and
// Undo; any number of goroutines call View.
type Tracker struct {
	routes []Route
	view   atomic.Pointer[View]
}

// NewTracker returns a Tracker that begins with a plan of number 0. The routes are those that New
// adds to the plan's own.
func NewTracker(plan *patch.Plan, routes ...Route) (*Tracker, error) {
	t := &Tracker{routes: routes}
	return t, t.Change(Change{Plan: plan})
}

// View returns the addresses of the plan that plays.
func (t *Tracker) View() *View { return t.view.Load() }

// Change makes the addresses those of another plan. A plan set by a command inherits the current
// values. A plan that is reverted to gets back the values it had. Any other plan starts with its
// own.
func (t *Tracker) Change(c Change) error {
	before := t.view.Load()
	for old := before; old != nil; old = old.previous {
		if old.number == c.Number {
			t.view.Store(old)
			return nil
		}
	}
	s, err := New(c.Plan, t.routes...)
	if err != nil {
		return err
	}
	now := &View{space: s, number: c.Number}
	if before != nil && c.Command && c.Follows == before.number {
		now.values, now.previous = before.values.Follow(c.Plan), before
		now.forgetBeyond(shm.Plans)
	} else {
		now.values = NewValues(c.Plan)
	}
	t.view.Store(now)
	return nil
}

// Record records a command that has entered while frame was the next to play. A command for
// another plan than the present one has no effect.
func (t *Tracker) Record(c shm.Command, frame uint64) {
	if v := t.view.Load(); v.number == c.Plan {
		v.values.Record(c, frame)
	}
}

// Undo takes back a command that was left out.
func (t *Tracker) Undo(c shm.Command) { t.view.Load().undo(c) }
