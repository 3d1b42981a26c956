package commandlog

import "github.com/music-chronus/chronus/shm"

// Decisions is what was decided for each block: see shm.Journal.
type Decisions interface {
	Decision(block uint64) (d shm.Decision, ok bool)
}

// EntryBlock returns the first block from clock on that may have the committed command seq: the one
// after the blocks that are decided without it. Every later decision includes it.
func EntryBlock(j Decisions, clock, seq uint64) uint64 {
	for n := clock; ; n++ {
		if d, ok := j.Decision(n); !ok || d.Seq() >= seq {
			return n
		}
	}
}

// EnteredWith returns the Seqs of the commands that first enter block n, as (from, to]. All workers
// begin from the checkpoint.
func EnteredWith(j Decisions, n uint64, checkpoint shm.State) (from, to uint64) {
	d, ok := j.Decision(n)
	if !ok {
		d = 0
	}
	from = checkpoint.Seq
	if before, had := j.Decision(n - min(n, 1)); had && n > checkpoint.Block {
		from = before.Seq()
	}
	return from, max(from, d.Seq())
}

// LeftOut reports whether the block that a command after the checkpoint enters leaves it out.
func LeftOut(j Decisions, seq uint64, checkpoint shm.State) bool {
	for n := checkpoint.Block; ; n++ {
		switch d, ok := j.Decision(n); {
		case !ok:
			return false
		case d.Seq() >= seq:
			return d.Skip()
		}
	}
}

// PlanAt returns the number of the plan that plays once the command seq has entered, if it was not
// left out.
func (l *Log) PlanAt(j Decisions, seq uint64, checkpoint shm.State) uint64 {
	plan := checkpoint.Plan
	for _, c := range l.entries {
		if c.Op == shm.OpPlan && c.Seq > checkpoint.Seq && c.Seq <= seq && !LeftOut(j, c.Seq, checkpoint) {
			plan = uint64(c.Value)
		}
	}
	return plan
}

// Entered returns the commands that entered block n by the decision d. ok is false if the log no
// longer has them all. A checkpoint beyond the block does not hide them.
func (l *Log) Entered(j Decisions, n uint64, d shm.Decision, checkpoint shm.State) (c []shm.Command, ok bool) {
	from := checkpoint.Seq
	if before, had := j.Decision(n - min(n, 1)); had && n > 0 {
		from = before.Seq()
	}
	return l.Between(from, max(from, d.Seq()))
}
