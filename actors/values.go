package actors

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// values is what the parameters and gates of a plan were last set to: at first what the plan has, then what each command that entered has
// set. What the sequencer's lanes do is not in it, nor how far a ramp has come. The conductor notes, anybody else reads; a note costs
// as much as it costs to write a number, and waits for no reader.
type values struct {
	plan  *patch.Plan
	first []int // the index of each node's first cell
	cells []cell

	mu    sync.Mutex // held for no longer than it takes to go through what is ahead
	ahead []shm.Command
}

// cell is one parameter, or behind a node's parameters its gate. mu guards what is not atomic.
type cell struct {
	bits, stamp atomic.Uint64
	now         setting
	past        [settingsKept]setting // the settings before, newest first
	kept        int                   // how many of these there are
}

// setting is what a cell was set to: its value is the cell's bits while it is the last.
type setting struct {
	value float64
	from  uint64 // the frame from which on the cell has it
	seq   uint64 // of the command; 0: the plan's
}

// settingsKept is how many settings of one cell can be taken back: a fader sends some in the time in which a worker ends of them.
const settingsKept = 8

// newValues are those that a plan begins with.
func newValues(plan *patch.Plan) *values {
	v := &values{plan: plan}
	count := 0
	for i := range plan.Nodes() {
		v.first = append(v.first, count)
		count += len(plan.Nodes()[i].Desc.Params) + 1
	}
	v.cells = make([]cell, count)
	for i := range plan.Nodes() {
		for p, x := range plan.Nodes()[i].Values {
			v.cells[v.first[i]+p].bits.Store(math.Float64bits(x))
		}
	}
	return v
}

// cell is where a command of OpSet or OpGate sets; nil: nowhere.
func (v *values) cell(op shm.Op, node, param uint16) *cell {
	if int(node) >= len(v.first) {
		return nil
	}
	params := len(v.plan.Nodes()[node].Desc.Params)
	switch {
	case op == shm.OpSet && int(param) < params:
		return &v.cells[v.first[node]+int(param)]
	case op == shm.OpGate:
		return &v.cells[v.first[node]+params]
	}
	return nil
}

// note takes a command that has entered while frame was the next to play. One that is ahead of its time waits for it.
func (v *values) note(c shm.Command, frame uint64) {
	if v.cell(c.Op, c.Node, c.Param) == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if c.Frame <= frame {
		v.set(c, frame)
		return
	}
	if len(v.ahead) >= commandlog.MaxTimed {
		v.settleLocked(frame)
	}
	if len(v.ahead) < commandlog.MaxTimed {
		v.ahead = append(v.ahead, c)
	}
}

// settle sets what has come to its time, now that frame is the next to play.
func (v *values) settle(frame uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settleLocked(frame)
}

func (v *values) settleLocked(frame uint64) {
	if len(v.ahead) == 0 {
		return
	}
	slices.SortFunc(v.ahead, func(a, b shm.Command) int {
		return cmp.Or(cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.Seq, b.Seq))
	})
	n := 0
	for n < len(v.ahead) && v.ahead[n].Frame <= frame {
		v.set(v.ahead[n], v.ahead[n].Frame)
		n++
	}
	v.ahead = append(v.ahead[:0], v.ahead[n:]...)
}

// set takes a command from a frame on, unless what there is is from a later one.
func (v *values) set(c shm.Command, frame uint64) {
	to := v.cell(c.Op, c.Node, c.Param)
	if frame < to.now.from {
		return
	}
	to.now.value = math.Float64frombits(to.bits.Load())
	copy(to.past[1:], to.past[:])
	to.past[0], to.kept = to.now, min(to.kept+1, settingsKept)
	to.now = setting{c.Value, frame, c.Seq}
	to.put(c.Value)
}

// inherit takes over what another cell was set to, and what of that can be taken back.
func (c *cell) inherit(from *cell) {
	c.now, c.past, c.kept = from.now, from.past, from.kept
	c.bits.Store(from.bits.Load())
}

func (c *cell) put(x float64) {
	c.bits.Store(math.Float64bits(x))
	c.stamp.Add(1)
}

// undo takes back a command that was left out, whether or not its cell was set since.
func (v *values) undo(c shm.Command) {
	to := v.cell(c.Op, c.Node, c.Param)
	if to == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ahead = slices.DeleteFunc(v.ahead, func(a shm.Command) bool { return a.Seq == c.Seq })
	to.undo(c.Seq)
}

func (c *cell) undo(seq uint64) {
	past := c.past[:c.kept]
	if seq != 0 && c.now.seq == seq && len(past) > 0 {
		c.now, c.kept = past[0], len(past)-1
		copy(past, past[1:])
		c.put(c.now.value)
		return
	}
	if i := slices.IndexFunc(past, func(s setting) bool { return s.seq == seq }); i >= 0 && seq != 0 {
		copy(past[i:], past[i+1:])
		c.kept--
	}
}

// follow are the values of a plan that goes on where this one was, as the streams do it (stream.Follow): what has its id and type in both
// keeps what it was set to, and what it is about to be, but for what the plan itself has changed.
func (v *values) follow(plan *patch.Plan) *values {
	to := newValues(plan)
	v.mu.Lock()
	defer v.mu.Unlock()
	heirs := map[int]int{}
	for k := range v.plan.Nodes() {
		i := successor(v.plan, plan, k)
		if i < 0 {
			continue
		}
		heirs[k] = i
		was, n := &v.plan.Nodes()[k], &plan.Nodes()[i]
		for p := range len(n.Desc.Params) + 1 {
			if p < len(n.Values) && n.Values[p] != was.Values[p] && !(n.Track() && p == patch.TrackNow) {
				continue
			}
			to.cells[to.first[i]+p].inherit(&v.cells[v.first[k]+p])
		}
	}
	for _, c := range v.ahead {
		if i, ok := heirs[int(c.Node)]; ok {
			c.Node = uint16(i)
			to.ahead = append(to.ahead, c)
		}
	}
	return to
}

// valued is what addresses were set to, if it is not what the plan begins with.
func (d *desk) valued() map[string]float64 {
	known, list := d.view(), map[string]float64{}
	for i := range known.space.Entries() {
		v, _, ok := known.Value(i)
		if c := known.commands[i]; ok && (c.Op == shm.OpGate && v != 0 || c.Op == shm.OpSet && v != known.values.plan.Nodes()[c.Node].Values[c.Param]) {
			list[known.space.Entries()[i].Address] = v
		}
	}
	return list
}

// remember fills the values of a sound that an engine before this one has begun: from what that saved, and from the commands since the kept
// snapshot. What was set in the second before it was lost may be missing; the sound has it all the same.
func (e *Engine) remember() {
	known := e.desk.directory.Load()
	goesOn := e.saved != nil && e.saved.Patch == string(e.rig.present.text) && (e.cfg.Resume || e.rig.adopted && e.saved.N <= e.rig.control.Clock()+uint64(e.rig.geo.Ring))
	if goesOn {
		for address, v := range e.saved.Values {
			if i, ok := known.space.Lookup(address); ok {
				c := known.commands[i]
				if to := known.cell(c.Op, c.Node, c.Param); to != nil {
					to.put(v)
				}
			}
		}
	}
	for _, c := range e.rig.log.Commands() {
		e.desk.note(c, false)
	}
	e.rig.meter.begin(known.values)
	e.rememberMuted(known, goesOn && e.cfg.Resume)
}

// groupID is the id of the group of voices that a node belongs to, "" for none.
func groupID(plan *patch.Plan, node int) string {
	if g := plan.Nodes()[node].Group; g != patch.NoGroup {
		return plan.Voices[g].ID
	}
	return ""
}
