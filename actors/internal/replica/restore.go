package replica

import (
	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm"
)

// restoreLog finds the commands since the checkpoint in whatever command rings there are.
func (r *Set) restoreLog(from *survivors.Survivors) {
	var living, ended []*shm.Segment
	for _, s := range r.slots {
		switch {
		case s.Ring == nil:
		case s.Phase == slots.Empty:
			ended = append(ended, s.Ring)
		default:
			living = append(living, s.Ring)
		}
	}
	rings := from.CommandRings(living, ended)
	last := r.mem.Control.Committed()
	r.log.Restore(last, survivors.ReadCommands(rings, r.checkpoint.last.Seq, last))
}

// restoreCurrent finds the plan that plays: the one that the engine before went on with last, or
// has just commanded. If the workers began after that command, no ring has it any more.
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
		if v == nil || v != current && (c.Plan != current.Number || commandlog.LeftOut(r.mem.Journal, c.Seq, r.checkpoint.last.State)) {
			continue
		}
		v.Previous, v.Seq, current = c.Plan, c.Seq, v
	}
	r.setCurrent(current)
}
