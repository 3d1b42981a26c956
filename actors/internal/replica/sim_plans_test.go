//go:build sim

package replica

import (
	"errors"
	"fmt"
	"strings"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// The outcomes of a simulated patch change.
const (
	simGood  = iota
	simBombs // it panics in its first block
	simDuds  // it cannot be made
	simKills // it ends the worker that makes it
)

// simLayouts are nodes and cables: the noise alone, beside another, through one node or two, these
// the other way round, and gone.
var simLayouts = []struct {
	nodes  []string
	cables string
}{
	{[]string{"noise"}, "noise > out"},
	{[]string{"noise", "other"}, "noise > out, other > out"},
	{[]string{"noise", "one"}, "noise > one > out"},
	{[]string{"noise", "one", "two"}, "noise > one > two > out"},
	{[]string{"noise", "one", "two"}, "noise > two > one > out"},
	{[]string{"other"}, "other > out"},
}

var simTypes = map[string]string{"noise": "simnoise", "other": "simnoise", "one": "simecho", "two": "simecho", "bad": ""}

// simPlans are the changes of the patch.
type simPlans struct {
	often   int // a change begins one turn of the engine in so many; 0: never
	change  *simChange
	plans   map[uint64]*patch.Plan // all that were, by number
	fates   map[uint64]simFate     // of the command of a change, by its Seq
	made    int                    // changes that entered
	refused int
	spurned []*simChange // those that were left out: the requester must be answered
}

// simChange is a change under way: patching.Patcher.Change, taken apart, since a simulated thread
// cannot sleep.
type simChange struct {
	*plans.Version
	outcome  int
	prepared plans.Preparation
	head     uint64
	seq      uint64 // 0: not commanded yet
	told     chan error
}

// simFate is what has become of the command of a change, by the decisions.
type simFate struct {
	block uint64
	left  bool // out
}

// layout draws a patch.
func (w *simWorld) layout(outcome int) string {
	x := simLayouts[w.rng.IntN(len(simLayouts))]
	nodes, cables := append([]string(nil), x.nodes...), x.cables
	bad := map[int]string{simDuds: "simdud", simKills: "simgrave"}[outcome]
	if bad != "" {
		nodes, cables = append(nodes, "bad"), cables+", bad > out"
	}
	w.rng.Shuffle(len(nodes), func(i, k int) { nodes[i], nodes[k] = nodes[k], nodes[i] })
	text, bombed := fmt.Sprintf("version: 1\nname: simulation %d\nnodes:\n", w.set.plans.Last()+1), outcome != simBombs
	for _, id := range nodes {
		kind, params := simTypes[id], ""
		switch {
		case kind == "":
			kind = bad
		case kind == "simnoise" && !bombed:
			bombed, params = true, ", params: {bomb: 1}"
		case w.oneIn(3):
			params = fmt.Sprintf(", params: {value: %d}", w.rng.IntN(1000))
		}
		text += fmt.Sprintf("  - {id: %s, type: %s%s}\n", id, kind, params)
	}
	return text + "cables: [" + cables + "]\n"
}

// replan moves a change of the patch on, or begins one.
func (w *simWorld) replan() {
	switch c := w.change; {
	case c == nil:
		if !w.calm && w.often > 0 && w.oneIn(w.often) && w.inReachNow() {
			w.beginChange()
		}
	case c.seq == 0:
		w.tryChange(c)
	default:
		w.awaitChange(c)
	}
}

// beginChange is the first half of Patcher.Change.
func (w *simWorld) beginChange() {
	outcome := simGood
	if w.bombs && w.oneIn(4) && w.seq >= w.bomb && w.mayHurt() {
		outcome = 1 + w.rng.IntN(simKills)
		w.faults++
	}
	text := w.layout(outcome)
	plan, err := w.set.plans.Compile("simulation", []byte(text))
	if err != nil {
		w.fail("%v", err)
		return
	}
	w.change = &simChange{outcome: outcome, told: make(chan error, 8)}
	p, err := w.set.Propose("simulation", []byte(text))
	if err != nil {
		w.change = nil
		if !errors.Is(err, plans.ErrTooMany) {
			w.fail("%v", err)
		}
		return
	}
	w.change.Version = p
	w.plans[p.Number] = plan
	w.note("plan %d is wanted after %d, outcome %d: %s", p.Number, p.Previous, outcome, strings.ReplaceAll(text, "\n", " "))
}

// tryChange is one round of the loop that commits.
func (w *simWorld) tryChange(c *simChange) {
	// A worker may consume the command before TryCommit returns.
	count := len(w.commands)
	w.commands = append(w.commands, shm.Command{Op: shm.OpPlan, Plan: c.Previous, Value: float64(c.Number)})
	bomb := w.bomb
	if c.outcome == simBombs {
		w.bomb = uint64(len(w.commands))
	}
	head, all, err := w.set.TryCommit(c.Version, &c.prepared, w.now, commandlog.RequesterFunc(func(err error) { c.told <- err }))
	if all {
		if c.head, c.seq = head, c.Version.Seq; c.seq != uint64(len(w.commands)) || c.outcome > simBombs {
			w.fail("command %d was numbered %d, to go on with plan %d, outcome %d", len(w.commands), c.seq, c.Number, c.outcome)
		}
		w.note("command %d goes on with plan %d", c.seq, c.Number)
		return
	}
	w.commands, w.bomb = w.commands[:count], bomb
	if err == nil {
		return
	}
	w.note("plan %d is refused: %v", c.Number, err)
	w.refused++
	w.set.plans.Forget(c.Number)
	w.change = nil
	switch text := err.Error(); {
	case c.outcome == simDuds && strings.Contains(text, "a dud"):
	case c.outcome == simKills && strings.Contains(text, "workers ended"):
	case w.gentle:
		w.fail("plan %d, outcome %d, was refused: %v", c.Number, c.outcome, err)
	case errors.Is(err, plans.ErrReplaced) || errors.Is(err, commandlog.ErrRingsFull) || errors.Is(err, commandlog.ErrLogFull) || strings.Contains(text, "workers ended") ||
		strings.Contains(text, "within"):
	default:
		w.fail("plan %d, outcome %d, was refused: %v", c.Number, c.outcome, err)
	}
}

// awaitChange is one round of Patcher.AwaitEntry.
func (w *simWorld) awaitChange(c *simChange) {
	at, in, err := w.set.FindEntry(c.head, c.Version)
	if c.head = at; !in && err == nil {
		return
	}
	w.change = nil
	w.note("plan %d, command %d: %t at %d, %v", c.Number, c.seq, in, at, err)
	fate, known := w.fates[c.seq]
	switch {
	case in && (!known || fate.left || fate.block != at):
		w.fail("plan %d is said to play from block %d on; by the decisions, %t, it is %+v", c.Number, at, known, fate)
	case !in && known && !fate.left:
		w.fail("plan %d is said to be left out, %v; by the decisions it entered block %d", c.Number, err, fate.block)
	case !in:
		w.spurned = append(w.spurned, c)
	}
	if in {
		w.made++
	}
}

// goOn makes the reference go on with another plan.
func (c *simCheck) goOn(n uint64, m shm.Command) {
	to, err := c.reference.PrepareTransition(c.w.plans[uint64(m.Value)])
	if err != nil {
		c.w.fail("plan %g: %v", m.Value, err)
		return
	}
	if c.plan != m.Plan {
		c.w.fail("command %d has plan %d followed by %g, and plan %d plays", c.seq+1, m.Plan, m.Value, c.plan)
	}
	c.reference.Switch(to, c.seq+1)
	c.reference, c.plan = to, uint64(m.Value)
	c.w.fates[c.seq+1] = simFate{block: n}
}

// enter gives the reference the command after c.seq, at block n.
func (c *simCheck) enter(n uint64, m shm.Command, skip bool) {
	sent := c.commands[c.seq]
	if sent.Op == shm.OpPlan && (skip || m.Op != shm.OpPlan) {
		c.w.fates[c.seq+1] = simFate{block: n, left: true}
	}
	switch {
	case skip:
		c.w.note("command %d is left out", c.seq+1)
	case m.Op == shm.OpNone:
		c.w.note("command %d is quarantined", c.seq+1)
	case m.Op == shm.OpPlan:
		c.goOn(n, m)
	case m.Plan != c.plan:
		c.reference.Drop(c.seq + 1)
	default:
		kind := map[shm.Op]stream.Kind{shm.OpSet: stream.Set, shm.OpGate: stream.Gate, shm.OpBypass: stream.Bypass}[m.Op]
		c.reference.Push(stream.Command{Seq: c.seq + 1, Frame: m.Frame, Kind: kind, Node: m.Node, Param: m.Param, Value: m.Value})
	}
}

// plansLeft says what is wrong with the changes once there are no more faults; "": nothing.
func (w *simWorld) plansLeft() string {
	switch {
	case w.change != nil:
		return fmt.Sprintf("plan %d is still on its way", w.change.Number)
	case w.set.plans.Current().Number != w.plan:
		return fmt.Sprintf("the engine is at plan %d, the sound at %d", w.set.plans.Current().Number, w.plan)
	}
	return ""
}
