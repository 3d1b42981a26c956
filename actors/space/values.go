package space

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// maxAhead bounds the commands that wait for their frame, as the engine bounds them.
const maxAhead = 4000

// maxPast is how many settings of one cell can be taken back. A fader sends some in the time in
// which a worker crashes from one of them.
const maxPast = 8

// Values holds what the parameters and gates of one plan were last set to. It begins with the
// plan's own values. Values excludes the effects of the sequencer's lanes and the progress of
// ramps. One goroutine records commands; any number of goroutines read, without delaying it.
type Values struct {
	plan  *patch.Plan
	first []int // the index of each node's first cell
	cells []cell

	mu    sync.Mutex // guards ahead and the cells' settings; held for no longer than a pass over ahead
	ahead []shm.Command
}

// cell is one parameter. Behind a node's parameters lies one more cell, for its gate.
type cell struct {
	bits, stamp atomic.Uint64
	now         setting
	past        [maxPast]setting // the settings before, newest first
	count       int              // of past
}

// setting is what a cell was set to. The cell's bits hold the value of the latest setting.
type setting struct {
	value float64
	from  uint64 // the first frame of the setting
	seq   uint64 // of the command; 0: the plan's own value
}

// NewValues returns the values that a plan begins with.
func NewValues(plan *patch.Plan) *Values {
	v := &Values{plan: plan}
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

// Plan returns the plan whose values they are.
func (v *Values) Plan() *patch.Plan { return v.plan }

// Param returns what a parameter was last set to.
func (v *Values) Param(node, param int) float64 {
	return math.Float64frombits(v.cells[v.first[node]+param].bits.Load())
}

// SetParam sets a parameter without a command, for a sound that an earlier engine has begun.
func (v *Values) SetParam(node, param int, x float64) { v.cells[v.first[node]+param].put(x) }

// cell returns what a command of OpSet or OpGate sets; nil for any other command.
func (v *Values) cell(op shm.Op, node, param uint16) *cell {
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

// Record records a command that has entered while frame was the next to play. A command for a
// later frame counts once ApplyDue or a later Record has reached that frame.
func (v *Values) Record(c shm.Command, frame uint64) {
	if v.cell(c.Op, c.Node, c.Param) == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if c.Frame <= frame {
		v.set(c, frame)
		return
	}
	if len(v.ahead) >= maxAhead {
		v.applyDueLocked(frame)
	}
	if len(v.ahead) < maxAhead {
		v.ahead = append(v.ahead, c)
	}
}

// ApplyDue applies the commands whose frame has come; frame is the next to play.
func (v *Values) ApplyDue(frame uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.applyDueLocked(frame)
}

func (v *Values) applyDueLocked(frame uint64) {
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

// set applies a command from a frame on, unless the cell's setting begins at a later frame.
func (v *Values) set(c shm.Command, frame uint64) {
	to := v.cell(c.Op, c.Node, c.Param)
	if frame < to.now.from {
		return
	}
	to.now.value = math.Float64frombits(to.bits.Load())
	copy(to.past[1:], to.past[:])
	to.past[0], to.count = to.now, min(to.count+1, maxPast)
	to.now = setting{c.Value, frame, c.Seq}
	to.put(c.Value)
}

func (c *cell) put(x float64) {
	c.bits.Store(math.Float64bits(x))
	c.stamp.Add(1)
}

// inherit copies another cell's settings, and with them what can be taken back.
func (c *cell) inherit(from *cell) {
	c.now, c.past, c.count = from.now, from.past, from.count
	c.bits.Store(from.bits.Load())
}

// Undo takes back a command that was left out, whether or not its cell was set since.
func (v *Values) Undo(c shm.Command) {
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
	past := c.past[:c.count]
	if seq != 0 && c.now.seq == seq && len(past) > 0 {
		c.now, c.count = past[0], len(past)-1
		copy(past, past[1:])
		c.put(c.now.value)
		return
	}
	if i := slices.IndexFunc(past, func(s setting) bool { return s.seq == seq }); i >= 0 && seq != 0 {
		copy(past[i:], past[i+1:])
		c.count--
	}
}

// Follow returns the values of a plan that continues this one, by the rule of stream.Follow: a
// node that has its id and type in both plans keeps its values and the commands that wait for it.
// A value that differs between the two plans is the new plan's.
func (v *Values) Follow(plan *patch.Plan) *Values {
	to := NewValues(plan)
	v.mu.Lock()
	defer v.mu.Unlock()
	matching := map[int]int{}
	for k := range v.plan.Nodes() {
		i := matchingNode(v.plan, plan, k)
		if i < 0 {
			continue
		}
		matching[k] = i
		before, n := &v.plan.Nodes()[k], &plan.Nodes()[i]
		for p := range len(n.Desc.Params) + 1 {
			if p < len(n.Values) && n.Values[p] != before.Values[p] && !(n.Track() && p == patch.TrackNow) {
				continue
			}
			to.cells[to.first[i]+p].inherit(&v.cells[v.first[k]+p])
		}
	}
	for _, c := range v.ahead {
		if i, ok := matching[int(c.Node)]; ok {
			c.Node = uint16(i)
			to.ahead = append(to.ahead, c)
		}
	}
	return to
}

// matchingNode returns the node of plan now that continues a node of plan before; -1 if there is
// none.
func matchingNode(before, now *patch.Plan, node int) int {
	n := &before.Nodes()[node]
	i := slices.IndexFunc(now.Nodes(), func(x patch.PlanNode) bool {
		return x.ID == n.ID && x.Desc == n.Desc && x.Sum == n.Sum
	})
	if i >= 0 && groupID(before, node) != groupID(now, i) {
		return -1
	}
	return i
}

// groupID returns the id of a node's group of voices, "" if it has none.
func groupID(plan *patch.Plan, node int) string {
	if g := plan.Nodes()[node].Group; g != patch.NoGroup {
		return plan.Voices[g].ID
	}
	return ""
}
