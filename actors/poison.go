package actors

import (
	"fmt"
	"math"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// A worker that ends of what it renders, and not of a signal from outside, takes nobody's word for what was wrong: what it was doing lies
// in its status. The next active worker leaves out the commands that entered with the block (SKIP). If that is not enough, and all
// workers have ended of one block, the engine does it here: commands first, then the node, then the patch.

// offence is how a worker ended.
type offence struct {
	block uint64 // that it was rendering
	node  int    // in it; -1: none is known
	own   bool   // it ended of that, not of a signal from outside
	early bool   // it ended by itself before it rendered anything: it could not load
}

// poison is what the engine knows of blocks that end workers.
type poison struct {
	suspects   []offence      // blocks that a worker has ended of, until somebody has published them
	deaths     map[uint64]int // by block, of its own
	restarts   int            // common deaths at the hands of a block, since the sound last went on for a while
	lastCommon uint64         // the block at which all had ended
	young      int            // common deaths in a row without any worker having been ready
	early      int            // workers in a row that could not load
	top        uint64         // the highest block that anybody has published, plus one
}

// Restarts after common deaths before the patch is given up: at the hands of one block, and without any worker ever
// being ready.
const (
	restartsMost = 4
	youngMost    = 8
	earlyMost    = 3 // loads that fail, for each replica
)

// goFatal is the exit code of a Go program that its runtime ends: out of memory, a stack without end.
const goFatal = 2

// judge says how the slot's process ended. Called before its place is cleared.
func (r *rig) judge(s *slot, exit sys.Exit) offence {
	st := r.journal.Status(s.number)
	rendering := st.Generation == s.gen && st.Rendering
	byItself := exit.Signal == 0 && !exit.Unknown && exit.Code != 0
	return offence{
		block: st.Block, node: st.Node,
		own:   rendering && (st.Cause.OwnFault() || byItself && exit.Code == goFatal),
		early: byItself && !r.journal.Head(s.number).Of(s.gen),
	}
}

// afterDeath draws the consequences of a worker's end, once its slot is empty.
func (r *rig) afterDeath(o offence) {
	p := &r.poison
	r.noteTop()
	switch {
	case o.own:
		p.suspects = append(p.suspects, o)
		p.deaths[o.block]++
	case o.early:
		if p.early++; p.early >= earlyMost*len(r.slots) && r.control.Active().ReadyCount() == 0 {
			r.stepDown(fmt.Sprintf("%d workers in a row could not load it", p.early))
			return
		}
	}
	living := 0
	for _, s := range r.slots {
		// A hung one too, and one whose life has ended but not its process: it may still publish.
		if s.phase == joining || s.phase == ready {
			living++
		}
	}
	switch {
	case living == 0 && !o.early:
		r.commonDeath()
	case o.own && p.deaths[o.block] > len(r.slots) && p.top <= o.block:
		for _, s := range r.slots { // they die in turn: together, it can be helped
			if s.attached() {
				r.condemn(s, fmt.Sprintf("block %d crashes every worker", o.block))
			}
		}
	}
}

// undecided tells whether a worker has ended of a block that the others are still at. Who joined now would end of it as well, and
// keep them from being known to have ended all.
func (r *rig) undecided() bool {
	for _, o := range r.poison.suspects {
		if o.block >= r.poison.top {
			return true
		}
	}
	return false
}

// commonDeath is called when no worker lives that was let go.
func (r *rig) commonDeath() {
	p := &r.poison
	if r.stopping || r.silent != "" {
		return
	}
	r.clearSuspects(p.top)
	if plan := r.planAt(r.log.Last()); plan != r.present.number && !r.bereft() {
		r.revert(plan, false) // it was left out, by a worker that has not lived to show it
	}
	guilty := offence{node: -1}
	for _, o := range p.suspects {
		if o.block >= r.control.Clock() && o.block >= p.top && (!guilty.own || o.block > guilty.block) {
			guilty = o
		}
	}
	p.young++
	if guilty.own {
		p.restarts++
	}
	p.lastCommon = max(p.top, r.control.Clock())
	p.suspects = p.suspects[:0]
	for _, s := range r.slots {
		r.journal.ClearCause(s.number) // what there is to be left out is left out here
	}
	switch {
	case guilty.own && p.restarts > restartsMost:
		r.stepDown(fmt.Sprintf("block %d ends every worker, whatever is left out", guilty.block))
	case p.young > youngMost:
		r.stepDown(fmt.Sprintf("%d times in a row all workers ended before one was ready", p.young))
	case !guilty.own:
	case r.quarantine(guilty):
	case p.deaths[guilty.block] < 2: // once is no proof: the others may have ended of something else
	case guilty.node > 0:
		r.bypass(guilty)
		delete(p.deaths, guilty.block)
	default:
		r.stepDown(fmt.Sprintf("block %d ends every worker, and no node is to blame", guilty.block))
	}
}

// entered are the commands that first enter block n, as Seqs in (from, to]; ok is false if it is not decided.
func (r *rig) entered(n uint64) (from, to uint64, ok bool) {
	d, ok := r.journal.Decision(n)
	if !ok {
		d = 0
	}
	from = r.kept.Seq
	if before, had := r.journal.Decision(n - min(n, 1)); had && n > r.kept.Block {
		from = before.Seq()
	}
	return from, max(from, d.Seq()), ok
}

// quarantine takes the commands that entered with a block out of the log, from which all workers begin again, and tells
// who sent them. It is false if there were none.
func (r *rig) quarantine(o offence) bool {
	from, to, _ := r.entered(o.block)
	var out []shm.Command
	for seq := from + 1; seq <= to; seq++ {
		if c, ok := r.log.At(seq); ok && c.Op != shm.OpNone && c.Op != shm.OpBypass {
			r.log.Amend(shm.Command{Seq: seq})
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return false
	}
	r.tellQuarantined(o, out)
	return true
}

// bypass leaves out the node that every worker ended in, from the block of their end on: by a command that enters there,
// in the place of one that was quarantined, or behind all others.
func (r *rig) bypass(o offence) {
	from, to, _ := r.entered(o.block)
	plan := r.planAt(to)
	name := r.nodeName(o.node, plan)
	c := shm.Command{Seq: from + 1, Plan: plan, Op: shm.OpBypass, Node: uint16(o.node), Value: 1}
	if to > from {
		r.log.Amend(c)
	} else {
		// Behind all others it may come after another plan, which may not have the node any more.
		if now, err := r.translate(c, plan); err == nil {
			now.Plan = r.present.number
			now = r.log.Append(now, nil)
			r.control.Commit(now.Seq)
		}
		to = r.log.Last()
	}
	r.journal.ReplaceDecision(o.block, to)
	r.emit(report.NodeBypassed{Node: name, Block: o.block})
}

// planAt is the number of the plan that plays once the command seq has entered, if it was not left out.
func (r *rig) planAt(seq uint64) uint64 {
	plan := r.kept.Plan
	for _, c := range r.log.Commands() {
		if c.Op == shm.OpPlan && c.Seq > r.kept.Seq && c.Seq <= seq && !r.leftOut(c.Seq) {
			plan = uint64(c.Value)
		}
	}
	return plan
}

// leftOut tells whether the block that a command after the kept snapshot enters leaves it out.
func (r *rig) leftOut(seq uint64) bool {
	for n := r.kept.Block; ; n++ {
		switch d, ok := r.journal.Decision(n); {
		case !ok:
			return false
		case d.Seq() >= seq:
			return d.Skip()
		}
	}
}

// tendPoison looks what has become of the blocks that a worker has ended of.
func (r *rig) tendPoison() {
	p := &r.poison
	r.noteTop()
	if p.restarts > 0 && r.control.Clock() > p.lastCommon+uint64(r.geo.Rate/r.geo.Block) {
		p.restarts = 0
	}
	r.clearSuspects(math.MaxUint64)
	for n := range p.deaths {
		if n < p.top {
			delete(p.deaths, n) // it was got over
		}
	}
}

// clearSuspects forgets the blocks before one that somebody has rendered since, and says what of them is left out.
func (r *rig) clearSuspects(before uint64) {
	p := &r.poison
	left := p.suspects[:0]
	for _, o := range p.suspects {
		d, ok := r.journal.Decision(o.block)
		switch {
		case o.block >= before:
			left = append(left, o)
		case ok && d.Skip():
			// A snapshot may have been kept beyond that block meanwhile: the log still has what entered there.
			from := r.kept.Seq
			if before, had := r.journal.Decision(o.block - min(o.block, 1)); had && o.block > 0 {
				from = before.Seq()
			}
			if out, ok := r.log.Between(from, max(from, d.Seq())); ok && len(out) > 0 {
				r.tellQuarantined(o, out)
			}
		case p.top <= o.block:
			left = append(left, o) // nobody has rendered it yet
		}
	}
	p.suspects = left
}

// noteTop keeps the highest head: a worker that begins again from a snapshot lowers its own.
func (r *rig) noteTop() {
	for _, s := range r.slots {
		r.poison.top = max(r.poison.top, r.journal.Published(s.number))
	}
}

// tellQuarantined says which commands are left out, to the world and to who sent each.
func (r *rig) tellQuarantined(o offence, out []shm.Command) {
	node := r.nodeName(o.node, r.present.number)
	err := fmt.Errorf("quarantined: a worker ended in node %q, in block %d, which it entered; it is left out", node, o.block)
	for _, c := range out {
		r.noted(c, true)
		if requester := r.log.TakeRequester(c.Seq); requester != nil {
			go requester.Answer(err)
		}
		if c.Op == shm.OpPlan && uint64(c.Value) == r.present.number {
			r.revert(r.present.before, len(out) == 1)
		}
	}
	r.emit(report.Quarantined{Block: o.block, Node: node, Commands: len(out), First: out[0].Seq})
}

// nodeName is the id of a node by its index in a plan.
func (r *rig) nodeName(i int, plan uint64) string {
	if p := r.planned[plan]; p != nil && p.plan != nil && i >= 0 && i < len(p.plan.Nodes()) {
		return p.plan.Nodes()[i].ID
	}
	return "?"
}
