package actors

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/music-chronus/chronus/shm"
)

// What an engine reads of the plans and the commands that the one before it left.

// inheritPlans takes the plan of the kept snapshot for the present one.
func (r *rig) inheritPlans() error {
	p := &planned{number: r.kept.Plan, name: r.cfg.PatchName, text: r.kept.Text}
	p.plan, _ = r.compile(p.name, p.text)
	r.planned[p.number] = p
	r.lastPlan = max(p.number, r.plans.Reader().Last())
	if text, err := r.plans.Reader().Text(p.number); err != nil || !bytes.Equal(text, p.text) {
		return fmt.Errorf("%w: plan %d is not the patch that plays: %v", errUnusable, p.number, err)
	}
	r.present = p
	return nil
}

// inheritPresent finds the plan that plays: the one that the engine before went on with last, or has just commanded. That command may be in no ring
// any more, if its workers have begun after it.
func (r *rig) inheritPresent() {
	if p := r.recall(r.plans.Reader().Current()); p != nil {
		r.present = p
	}
	for _, c := range r.log.Commands() {
		if c.Op != shm.OpPlan {
			continue
		}
		p := r.recall(uint64(c.Value))
		if p == nil || p != r.present && (c.Plan != r.present.number || r.leftOut(c.Seq)) {
			continue
		}
		p.before, p.seq, r.present = c.Plan, c.Seq, p
	}
	r.play(r.present)
}

// inheritLog finds the commands since the kept snapshot in whatever command rings there are.
func (r *rig) inheritLog(h *heritage) {
	// Of who lives first, then of who died last: an older ring may have what was quarantined since.
	var rings []shm.CommandWriter
	var dead []*shm.Segment
	for _, s := range r.slots {
		switch {
		case s.ring == nil:
		case s.phase == empty:
			dead = append(dead, s.ring)
		default:
			rings = append(rings, shm.CommandsFromSegment(s.ring))
		}
	}
	for _, s := range h.rings {
		if s != nil {
			dead = append(dead, s)
		}
	}
	slices.SortStableFunc(dead, func(a, b *shm.Segment) int {
		_, x := a.Slot()
		_, y := b.Slot()
		return cmp.Compare(y, x)
	})
	for _, s := range dead {
		rings = append(rings, shm.CommandsFromSegment(s))
	}
	last := r.control.Committed()
	var commands []shm.Command
	for seq := last; seq > r.kept.Seq; seq-- {
		c, ok := peek(rings, seq)
		if !ok {
			break
		}
		commands = append(commands, c)
	}
	slices.Reverse(commands)
	r.log.Restore(last, commands)
}

// peek is the command seq from the first ring that has it.
func peek(rings []shm.CommandWriter, seq uint64) (c shm.Command, ok bool) {
	for _, w := range rings {
		if c, ok = w.Peek(seq); ok {
			return c, true
		}
	}
	return c, false
}
