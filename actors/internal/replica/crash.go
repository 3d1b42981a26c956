package replica

import (
	"fmt"
	"math"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// afterEnd draws the consequences of a worker's end, once its slot is empty.
func (r *Set) afterEnd(c fault.Crash) {
	r.noteHeads()
	living := 0
	for _, s := range r.slots {
		// A condemned worker counts, as does one whose process is ending: both may still publish.
		if s.Phase == slots.Joining || s.Phase == slots.Ready {
			living++
		}
	}
	ready := func() int { return r.mem.Control.Active().ReadyCount() }
	switch a := r.fault.WorkerEnded(c, fault.Workers{Replicas: len(r.slots), Living: living, Ready: ready}).(type) {
	case fault.Escalate:
		r.allEnded()
	case fault.KillAll:
		for _, s := range r.slots {
			if s.Fed() {
				r.condemn(s, fmt.Sprintf("block %d crashes every worker", a.Block))
			}
		}
	case fault.FallBack:
		r.fallBack(a.Why)
	}
}

// allEnded decides with what the next workers begin: no worker lives that was let go.
func (r *Set) allEnded() {
	if r.life.stopping || r.life.silent != "" {
		return
	}
	r.resolveCrashes(r.fault.Head())
	if plan := r.log.PlanAt(r.mem.Journal, r.log.Last(), r.checkpoint.last.State); plan != r.plans.Current().Number && !r.logGap() {
		r.revert(plan, false) // a worker left the change out, and did not live to show it
	}
	action := r.fault.AllEnded(r.mem.Control.Clock)
	for _, s := range r.slots {
		r.mem.Journal.ClearCause(s.Number) // the Set leaves out what is to be left out
	}
	if q, ok := action.(fault.Quarantine); ok && !r.quarantine(q.Crash) {
		action = r.fault.NothingToQuarantine(q.Crash)
	}
	switch a := action.(type) {
	case fault.Bypass:
		r.bypass(a.Crash)
	case fault.FallBack:
		r.fallBack(a.Why)
	}
}

// quarantine takes the commands that entered with the block of a crash out of the log, from which
// all workers begin again, and answers their senders. Without such commands, quarantine returns
// false.
func (r *Set) quarantine(c fault.Crash) bool {
	from, to := commandlog.EnteredWith(r.mem.Journal, c.Block, r.checkpoint.last.State)
	var out []shm.Command
	for seq := from + 1; seq <= to; seq++ {
		if m, ok := r.log.At(seq); ok && m.Op != shm.OpNone && m.Op != shm.OpBypass {
			r.log.Amend(shm.Command{Seq: seq})
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return false
	}
	r.reportQuarantined(c, out)
	return true
}

// bypass leaves out the node that every worker crashed in, from the block of the crash on. The
// command for it takes the place of a quarantined one that entered there, or comes behind all
// others.
func (r *Set) bypass(c fault.Crash) {
	from, to := commandlog.EnteredWith(r.mem.Journal, c.Block, r.checkpoint.last.State)
	plan := r.log.PlanAt(r.mem.Journal, to, r.checkpoint.last.State)
	name := r.plans.NodeName(c.Node, plan)
	m := shm.Command{Seq: from + 1, Plan: plan, Op: shm.OpBypass, Node: uint16(c.Node), Value: 1}
	if to > from {
		r.log.Amend(m)
	} else {
		// Behind all others, the command may come after another plan, which may lack the node.
		if now, err := r.plans.Translate(m, plan); err == nil {
			now.Plan = r.plans.Current().Number
			now = r.log.Append(now, nil)
			r.mem.Control.Commit(now.Seq)
		}
		to = r.log.Last()
	}
	r.mem.Journal.ReplaceDecision(c.Block, to)
	r.obs.Event(report.NodeBypassed{Node: name, Block: c.Block})
}

// updateCrashes looks what has become of the blocks that workers crashed in.
func (r *Set) updateCrashes() {
	g := r.mem.Geometry
	r.noteHeads()
	r.fault.Tick(r.mem.Control.Clock, uint64(g.Rate/g.Block))
	r.resolveCrashes(math.MaxUint64)
}

// resolveCrashes forgets the crashes in blocks below before that a worker has rendered since, and
// reports what those blocks leave out.
func (r *Set) resolveCrashes(before uint64) {
	r.fault.Resolve(before, r.mem.Journal.Decision, func(c fault.Crash, d shm.Decision) {
		out, ok := r.log.Entered(r.mem.Journal, c.Block, d, r.checkpoint.last.State)
		if ok && len(out) > 0 {
			r.reportQuarantined(c, out)
		}
	})
}

// noteHeads gives the Tracker the heads of all workers.
func (r *Set) noteHeads() {
	for _, s := range r.slots {
		r.fault.Published(r.mem.Journal.Published(s.Number))
	}
}

// reportQuarantined reports commands that are left out, and answers the sender of each.
func (r *Set) reportQuarantined(c fault.Crash, out []shm.Command) {
	node := r.plans.NodeName(c.Node, r.plans.Current().Number)
	err := fmt.Errorf("quarantined: the command crashed a worker in node %q, block %d, and is left out", node, c.Block)
	for _, m := range out {
		r.obs.CommandLeftOut(m)
		if q := r.log.TakeRequester(m.Seq); q != nil {
			go q.Answer(err)
		}
		if v := r.plans.Current(); m.Op == shm.OpPlan && uint64(m.Value) == v.Number {
			r.revert(v.Previous, len(out) == 1)
		}
	}
	r.obs.Event(report.Quarantined{Block: c.Block, Node: node, Commands: len(out), First: out[0].Seq})
}
