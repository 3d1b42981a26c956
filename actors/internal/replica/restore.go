package replica

import (
	"cmp"
	"slices"

	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm"
)

// restoreLog finds the commands since the checkpoint in whatever command rings there are.
func (r *Set) restoreLog(from *survivors.Survivors) {
	rings := r.commandRings(from)
	last := r.mem.Control.Committed()
	var commands []shm.Command
	for seq := last; seq > r.checkpoint.last.Seq; seq-- {
		c, ok := peek(rings, seq)
		if !ok {
			break
		}
		commands = append(commands, c)
	}
	slices.Reverse(commands)
	r.log.Restore(last, commands)
}

// commandRings returns the command rings to read: those of living workers first, then those of the
// most recently ended. Older rings may hold commands that were quarantined later.
func (r *Set) commandRings(from *survivors.Survivors) (rings []shm.CommandWriter) {
	var ended []*shm.Segment
	for _, s := range r.slots {
		switch {
		case s.ring == nil:
		case s.phase == empty:
			ended = append(ended, s.ring)
		default:
			rings = append(rings, shm.CommandsFromSegment(s.ring))
		}
	}
	for _, ring := range from.Rings {
		if ring != nil {
			ended = append(ended, ring)
		}
	}
	slices.SortStableFunc(ended, func(a, b *shm.Segment) int {
		_, x := a.Slot()
		_, y := b.Slot()
		return cmp.Compare(y, x)
	})
	for _, ring := range ended {
		rings = append(rings, shm.CommandsFromSegment(ring))
	}
	return rings
}

// peek returns the command seq from the first ring that has it.
func peek(rings []shm.CommandWriter, seq uint64) (c shm.Command, ok bool) {
	for _, w := range rings {
		if c, ok = w.Peek(seq); ok {
			return c, true
		}
	}
	return c, false
}

// restoreCurrent finds the plan that plays: the one that the engine before went on with last, or has
// just commanded. That command may be in no ring any more, if the workers began after it.
func (r *Set) restoreCurrent() {
	current := r.plans.Current()
	if v := r.plans.Lookup(r.plans.Store().Reader().Current()); v != nil {
		current = v
	}
	for _, c := range r.log.Commands() {
		if c.Op != shm.OpPlan {
			continue
		}
		v := r.plans.Lookup(uint64(c.Value))
		if v == nil || v != current && (c.Plan != current.Number || r.leftOut(c.Seq)) {
			continue
		}
		v.Previous, v.Seq, current = c.Plan, c.Seq, v
	}
	r.setCurrent(current)
}
