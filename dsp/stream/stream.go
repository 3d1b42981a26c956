// Package stream renders: a plan, a state and commands give blocks. Two streams that were given
// the same commands in the same blocks give the same bits; a state saved by one goes on in the
// other. It knows no process, no clock and no device: those are dsp/worker's.
package stream

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
)

// Stream is a plan with the state of every node. One goroutine uses it.
type Stream struct {
	plan    *patch.Plan
	nodes   []node // by index; 0 is the engine
	amp     dsp.Ramp
	block   uint64 // the next to render
	seq     uint64 // of the last command taken
	pending pending
	guard   guard
	faults  uint64
	faulty  uint16 // the node of the last fault
	ignored uint64
	mute    []bool // nodes that faulted in this block
	mix     []float32
	probe   *atomic.Uint64
	enc     dsp.Encoder // Save's and Restore's, so that they allocate nothing
	dec     dsp.Decoder
	size    int // of a state with as many commands waiting as can wait
}

// node is a module with its buffers.
type node struct {
	dsp.Module
	out    []float32   // the node's signal of the present block
	inputs [][]float32 // views for Render, cut to the present piece
	sums   [][]float32 // where several cables meet; nil where there is one
	from   [][]int
	bypass bool // it is not rendered any more: what comes in goes out
	gated  bool
}

var silence [maxBlock]float32

// maxBlock is the longest block in frames.
const maxBlock = 4096

// New makes a stream that has rendered nothing.
func New(plan *patch.Plan) (*Stream, error) {
	if plan.Block > maxBlock {
		return nil, fmt.Errorf("patch %s: block %d is above %d frames", plan.Name, plan.Block, maxBlock)
	}
	s := &Stream{
		plan: plan, nodes: make([]node, len(plan.Nodes())), mute: make([]bool, len(plan.Nodes())),
		mix: make([]float32, plan.Block), probe: new(atomic.Uint64), guard: newGuard(float64(plan.Rate)),
	}
	s.amp.Jump(plan.Nodes()[0].Values[patch.EngineAmp])
	for i, n := range plan.Nodes()[1:] {
		s.nodes[i+1] = newNode(n, plan)
	}
	if err := s.measure(); err != nil {
		return nil, err
	}
	return s, nil
}

func newNode(n patch.PlanNode, plan *patch.Plan) node {
	out := node{
		Module: newModule(n, plan), out: make([]float32, plan.Block),
		inputs: make([][]float32, len(n.Inputs)), sums: make([][]float32, len(n.Inputs)), from: n.Inputs, gated: n.Desc.Gated,
	}
	for i, from := range n.Inputs {
		if len(from) > 1 {
			out.sums[i] = make([]float32, plan.Block)
		}
	}
	return out
}

func newModule(n patch.PlanNode, plan *patch.Plan) dsp.Module {
	m := n.Desc.New(float64(plan.Rate))
	for p, v := range n.Values {
		m.Set(p, v)
	}
	m.Reset()
	return m
}

// SetProbe gives the stream a word in which it says what it is doing: the index of the node that is being
// rendered plus one, 0 between nodes. Whoever watches over a crash reads it. nil takes the word back.
func (s *Stream) SetProbe(p *atomic.Uint64) {
	if p == nil {
		p = new(atomic.Uint64)
	}
	s.probe = p
}

// Block is the number of the next block.
func (s *Stream) Block() uint64 { return s.block }

// Seq is the number of the last command taken.
func (s *Stream) Seq() uint64 { return s.seq }

// Faults counts the times that a node put out what is no sound, and was silenced and reset; node is the last of them.
func (s *Stream) Faults() (count uint64, node int) { return s.faults, int(s.faulty) }

// Guarded counts the blocks in which the output would have been above full scale and was limited, and those in which it had a steady
// offset, which was taken away.
func (s *Stream) Guarded() (limited, offset uint64) { return s.guard.limited, s.guard.offset }

// Start makes a stream that has rendered nothing begin at a block, after a command.
func (s *Stream) Start(block, seq uint64) { s.block, s.seq = block, seq }

// Ignored counts the commands that could not be carried out: no such node, a value out of range.
func (s *Stream) Ignored() uint64 { return s.ignored }

// Render renders the next block: len(out) is the plan's Block times Channels, interleaved. Commands
// that are due take effect at their exact frames.
func (s *Stream) Render(out []float32) {
	n := s.plan.Block
	clear(s.mute)
	start := s.block * uint64(n)
	for at := 0; at < n; {
		s.applyDue(start + uint64(at))
		end := n
		if next, ok := s.pending.next(); ok && next < start+uint64(n) {
			end = int(next - start)
		}
		s.piece(at, end)
		at = end
	}
	s.guard.count()
	s.fan(out)
	s.block++
}

// piece renders the frames [from, to) of the block: no command comes between them.
func (s *Stream) piece(from, to int) {
	for _, i := range s.plan.Order() {
		s.probe.Store(uint64(i) + 1)
		n := &s.nodes[i]
		for k := range n.inputs {
			n.inputs[k] = s.gather(n, k, from, to)
		}
		out := n.out[from:to]
		switch {
		case s.mute[i]:
			clear(out)
			continue
		case n.bypass:
			n.through(out)
			continue
		}
		n.Render(n.inputs, out)
		if !sane(out) {
			clear(out)
			n.Reset()
			s.mute[i] = true
			s.faults++
			s.faulty = uint16(i)
		}
	}
	s.probe.Store(0)
	mix := s.mix[from:to]
	clear(mix)
	for _, i := range s.plan.Outs() {
		for k, v := range s.nodes[i].out[from:to] {
			mix[k] += v
		}
	}
	for k := range mix {
		mix[k] = float32(float64(float64(mix[k]) * s.amp.Next()))
	}
	s.guard.pass(mix)
}

// through stands in for a node that is bypassed: its first input goes out. Behind a gate it would sound for ever, and
// a source has no input: those are silent.
func (n *node) through(out []float32) {
	if len(n.inputs) == 0 || n.gated {
		clear(out)
		return
	}
	copy(out, n.inputs[0])
}

// gather is the signal at input k: a node's own, or the sum of several in their fixed order.
func (s *Stream) gather(n *node, k, from, to int) []float32 {
	switch src := n.from[k]; len(src) {
	case 0:
		return silence[:to-from]
	case 1:
		return s.nodes[src[0]].out[from:to]
	default:
		sum := n.sums[k][from:to]
		copy(sum, s.nodes[src[0]].out[from:to])
		for _, i := range src[1:] {
			for j, v := range s.nodes[i].out[from:to] {
				sum[j] += v
			}
		}
		return sum
	}
}

// most is the magnitude above which a node's signal is none any more, but a filter that has blown up.
const most = 1e6

// sane tells whether every sample is a number, and none above most.
func sane(x []float32) bool {
	for _, v := range x {
		if !(v <= most && v >= -most) {
			return false
		}
	}
	return true
}

// fan gives the mono mix to every channel.
func (s *Stream) fan(out []float32) {
	c := s.plan.Channels
	for f, v := range s.mix {
		for k := range c {
			out[f*c+k] = v
		}
	}
}

// apply carries one command out, at the frame where the next piece begins. A panic in it leaves the probe at the node.
func (s *Stream) apply(c Command) {
	if int(c.Node) >= len(s.nodes) {
		s.ignored++
		return
	}
	s.probe.Store(uint64(c.Node) + 1)
	if !s.carryOut(c, s.plan.Nodes()[c.Node].Desc) {
		s.ignored++
	}
	s.probe.Store(0)
}

func (s *Stream) carryOut(c Command, desc *dsp.Desc) bool {
	n := &s.nodes[c.Node]
	switch {
	case c.Kind == Bypass && c.Node > 0:
		n.bypass = c.Value > 0
	case c.Kind == Gate && desc.Gated && !math.IsNaN(c.Value):
		n.Gate(c.Value > 0)
	case c.Kind != Set || int(c.Param) >= len(desc.Params) || desc.Params[c.Param].Check(c.Value, float64(s.plan.Rate)) != nil:
		return false
	case c.Node == 0:
		s.amp.To(c.Value, dsp.RampFrames(float64(s.plan.Rate)))
	default:
		n.Set(int(c.Param), c.Value)
	}
	return true
}
