package actors

import (
	"slices"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// replan makes the addresses those of another plan. One that was commanded goes on with the values of the one before; one that is gone back
// to, over others that were left out with it or after it, with those that it had; any other with its own.
func (d *desk) replan(p *planned) error {
	was := d.directory.Load()
	for old := was; old != nil; old = old.before {
		if old.plan == p.number {
			d.directory.Store(old)
			return nil
		}
	}
	a, err := NewAddresses(p.plan)
	if err != nil {
		return err
	}
	now := &directory{Addresses: a, plan: p.number}
	if was != nil && p.seq != 0 && p.before == was.plan {
		now.values, now.before = was.follow(p.plan), was
		now.trim(shm.Plans)
	} else {
		now.values = newValues(p.plan)
	}
	d.directory.Store(now)
	return nil
}

// trim forgets the plans before so many: the store has not even their texts any more.
func (d *directory) trim(n int) {
	for ; n > 1 && d != nil; n-- {
		d = d.before
	}
	if d != nil {
		d.before = nil
	}
}

// note keeps what a command has set, or if it was left out has not set.
func (d *desk) note(c shm.Command, left bool) {
	known := d.directory.Load()
	switch {
	case left:
		known.forget(c)
	case known.plan == c.Plan:
		known.note(c, d.clock())
	}
}

// forget takes back a command that was left out, in the plan that it was for and in those that have followed that.
func (d *directory) forget(c shm.Command) {
	if d.plan == c.Plan {
		d.undo(c)
		return
	}
	if d.before == nil {
		return
	}
	d.before.forget(c)
	for at := d.before; at != nil; at = at.before {
		if at.plan == c.Plan && int(c.Node) < len(at.values.plan.Nodes()) {
			if i := successor(at.values.plan, d.values.plan, int(c.Node)); i >= 0 {
				c.Node = uint16(i)
				d.undo(c)
			}
			return
		}
	}
}

// successor is the node of a plan that goes on as a node of another plan, which it follows; -1: none does.
func successor(was, now *patch.Plan, node int) int {
	n := &was.Nodes()[node]
	i := slices.IndexFunc(now.Nodes(), func(x patch.PlanNode) bool { return x.ID == n.ID && x.Desc == n.Desc && x.Sum == n.Sum })
	if i >= 0 && groupID(was, node) != groupID(now, i) {
		return -1
	}
	return i
}
