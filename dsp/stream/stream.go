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
	outs    [2]input
	voices  []voices // by group
	all     controls // what concerns all notes
	music   music
	amp     dsp.Ramp
	block   uint64 // the next to render
	seq     uint64 // of the last command taken
	pending *pending
	move    *move // from another stream, while it lasts; nil: none
	guard   guard
	faults  uint64
	faulty  uint16 // the node of the last fault
	ignored uint64
	mix     [2][]float32 // left and right
	probe   *atomic.Uint64
	enc     dsp.Encoder // Save's and Restore's, so that they allocate nothing
	dec     dsp.Decoder
	size    int // of a state with as many commands waiting as can wait
}

// maxBlock is the longest block in frames.
const maxBlock = 4096

// MaxState is the most that a stream's state may take, in bytes: what is handed from worker to worker.
const MaxState = 64 << 20

// first is a node's first module, and how many bytes the state of each takes.
type first struct {
	module dsp.Module // nil: none is new, or it has none
	bytes  int
}

// fits makes the first module of each node, of those that are new: all of them could take the machine's memory. So it is an error if they would have
// a state above MaxState. m, if not nil, says what goes on.
func fits(plan *patch.Plan, m *move) ([]first, error) {
	sum, list := 0, make([]first, len(plan.Nodes()))
	for i := range list {
		n := &plan.Nodes()[i]
		if i == 0 || n.Desc.New == nil {
			continue
		}
		if n.Sum != "" && n.Sample == nil {
			return nil, fmt.Errorf("patch %s: node %q: its sample has not been opened", plan.Name, n.ID)
		}
		if was := m.kinOf(i); was != nil {
			list[i].bytes = was.bytes
		} else {
			e := dsp.NewCounter()
			list[i].module = newModule(n, plan)
			list[i].module.Save(e)
			list[i].bytes = e.Count()
		}
		if sum += units(plan, i) * list[i].bytes; sum > MaxState {
			return nil, fmt.Errorf("patch %s: with node %q its state takes %d MB, the most are %d: take fewer voices, or put long delays outside of them",
				plan.Name, n.ID, sum>>20, MaxState>>20)
		}
	}
	return list, nil
}

// New makes a stream that has rendered nothing.
func New(plan *patch.Plan) (*Stream, error) {
	s, err := build(plan, nil)
	if err != nil {
		return nil, err
	}
	s.wire()
	return s, nil
}

// build makes a stream whose modules hear nothing yet, but for those that go on by m, which are not there.
func build(plan *patch.Plan, m *move) (*Stream, error) {
	if plan.Block > maxBlock {
		return nil, fmt.Errorf("patch %s: block %d is above %d frames", plan.Name, plan.Block, maxBlock)
	}
	list, err := fits(plan, m)
	if err != nil {
		return nil, err
	}
	s := &Stream{plan: plan, nodes: make([]node, len(plan.Nodes())), pending: new(pending), probe: new(atomic.Uint64), guard: newGuard(float64(plan.Rate))}
	s.amp.Jump(plan.Nodes()[0].Values[patch.EngineAmp])
	for c := range s.mix {
		s.mix[c] = make([]float32, plan.Block)
	}
	for i := range plan.Nodes()[1:] {
		s.nodes[i+1] = newNode(plan, i+1, list[i+1], m)
	}
	s.all = newControls(plan)
	for g := range plan.Voices {
		s.voices = append(s.voices, newVoices(plan, g))
	}
	s.newMusic()
	s.measure()
	return s, nil
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

// Limited counts the blocks in which the output would have been above full scale and was limited, and those in which it had a steady
// offset, which was taken away.
func (s *Stream) Limited() (limited, offset uint64) { return s.guard.limited, s.guard.offset }

// Start makes a stream that has rendered nothing begin at a block, after a command.
func (s *Stream) Start(block, seq uint64) {
	s.block, s.seq = block, seq
	if s.music.seq != nil {
		s.compose(block * uint64(s.plan.Block))
	}
}

// Ignored counts the commands that could not be carried out: no such node, a value out of range.
func (s *Stream) Ignored() uint64 { return s.ignored }

// Render renders the next block: len(out) is the plan's Block times Channels, interleaved. Commands
// that are due take effect at their exact frames.
func (s *Stream) Render(out []float32) {
	n := s.plan.Block
	for i := range s.nodes {
		s.nodes[i].hear()
	}
	s.move.prepare()
	start := s.block * uint64(n)
	for at := 0; at < n; {
		s.happen(start + uint64(at))
		end := uint64(n)
		for _, next := range [...]func() (uint64, bool){s.pending.next, s.music.next} {
			if frame, ok := next(); ok {
				end = min(end, frame-start)
			}
		}
		s.piece(at, int(end))
		at = int(end)
	}
	s.goBack()
	s.rest()
	s.guard.count()
	s.fan(out)
	s.block++
	if s.move.over(n) {
		s.settle()
	}
}

// happen carries out what is due at a frame: first commands, then what the sequencer plays.
func (s *Stream) happen(frame uint64) {
	if s.music.seq != nil {
		s.music.seq.Advance(frame)
	}
	s.applyDue(frame)
	if s.music.seq != nil {
		s.music.seq.Take(frame, s.music.give)
	}
}

// piece renders the frames [from, to) of the block: no command comes between them.
func (s *Stream) piece(from, to int) {
	s.all.prepare(from, to)
	if s.move == nil {
		for _, i := range s.plan.Order() {
			s.turn(s, i, from, to)
		}
	} else {
		for _, t := range s.move.turns {
			s.turn(t.of, t.node, from, to)
		}
	}
	s.probe.Store(0)
	left, right := s.mix[0][from:to], s.mix[1][from:to]
	s.move.blend(left, &s.outs[0], from, to)
	s.move.blend(right, &s.outs[1], from, to)
	for k := range left {
		amp := s.amp.Next()
		left[k] = float32(float64(float64(left[k]) * amp))
		right[k] = float32(float64(float64(right[k]) * amp))
	}
	s.guard.pass(left, right)
}

// turn renders node i, of this stream or of the one that it takes over from.
func (s *Stream) turn(of *Stream, i, from, to int) {
	n, index := &of.nodes[i], i
	if of == s {
		s.probe.Store(uint64(i) + 1)
	} else {
		index = 0 // it is no node of the plan any more
		s.probe.Store(0)
	}
	if n.back {
		return // it gives what it heard in the block before
	}
	for k := range n.units {
		if of != s && s.move.stays[i][k] {
			continue
		}
		var x *voice
		if n.group != patch.NoGroup {
			if x = of.voices[n.group].list[k/n.width]; !x.awake {
				continue
			}
		}
		if n.note {
			x.play(&s.all, n.units[k].out, from, to)
		} else {
			s.renderUnit(n, &n.units[k], index, from, to)
		}
	}
}

// renderUnit renders one module of node i.
func (s *Stream) renderUnit(n *node, u *unit, i, from, to int) {
	for k := range u.in {
		u.ins[k] = s.move.gather(&u.in[k], from, to)
	}
	for k := range u.out {
		u.outs[k] = u.out[k][from:to]
	}
	switch {
	case u.mute:
		u.clear()
		return
	case n.bypass:
		n.through(u)
		return
	}
	u.Render(u.ins, u.outs)
	for _, out := range u.outs {
		if !sane(out) {
			u.clear()
			u.Reset()
			u.mute = true
			s.faults++
			s.faulty = uint16(i)
			return
		}
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

// fan gives the mix to the channels: left and right in turn, or their mean to a single one.
func (s *Stream) fan(out []float32) {
	c := s.plan.Channels
	for f, left := range s.mix[0] {
		right := s.mix[1][f]
		if c == 1 {
			out[f] = float32(left*0.5) + float32(right*0.5)
			continue
		}
		for k := range c {
			if k%2 == 0 {
				out[f*c+k] = left
			} else {
				out[f*c+k] = right
			}
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
	case c.Kind == Note && n.note && c.Param < keys && c.Value >= 0 && c.Value <= 1:
		s.note(n.group, int(c.Param), c.Value)
	case c.Kind == Note && n.note && c.Param == keys && c.Value == 0:
		s.silenceNotes(n.group)
	case c.Kind == Pressure && n.note && c.Param < keys && c.Value >= 0 && c.Value <= 1:
		s.voices[n.group].press(int(c.Param), c.Value)
	case c.Kind >= Steps && c.Kind <= Ramp:
		return int(c.Node) == s.music.node && c.Node > 0 && s.music.edit(c)
	case c.Kind == Bypass && c.Node > 0 && !n.note && !n.pseudo:
		n.bypass = c.Value > 0
	case c.Kind == Gate && desc.Gated && n.group == patch.NoGroup && !math.IsNaN(c.Value):
		n.gate(c.Value > 0)
	case c.Kind != Set || int(c.Param) >= len(desc.Params) || desc.Params[c.Param].Check(c.Value, float64(s.plan.Rate)) != nil:
		return false
	case n.pseudo:
		return s.music.conduct(int(c.Node)-s.music.node-1, int(c.Param), c.Value, c.Frame)
	default:
		s.set(int(c.Node), int(c.Param), c.Value)
	}
	return true
}

// set sets a parameter of the engine, or of all modules of a node.
func (s *Stream) set(node, p int, v float64) {
	if node == 0 {
		s.setEngine(p, v)
		return
	}
	for u := range s.nodes[node].units {
		s.nodes[node].units[u].Set(p, v)
	}
}

func (s *Stream) setEngine(p int, v float64) {
	frames := dsp.RampFrames(float64(s.plan.Rate))
	switch p {
	case patch.EngineAmp:
		s.amp.To(v, frames)
	case patch.EngineBend:
		s.all.bend.To(v/12, frames)
	case patch.EnginePressure:
		s.all.pressure.To(v, frames)
	case patch.EngineWheel:
		s.all.wheel.To(v, frames)
	case patch.EngineSustain:
		s.sustain(v > 0)
	}
}
