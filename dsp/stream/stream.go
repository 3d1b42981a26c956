// Package stream renders audio: a plan, a state and commands give blocks. Two streams with the same
// plan that get the same commands in the same blocks give the same bits. A stream that restores
// another's saved state continues it bit for bit. The package knows no process, clock or device:
// those belong to dsp/worker.
package stream

import (
	"fmt"
	"sync/atomic"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream/internal/limiter"
	"github.com/music-chronus/chronus/dsp/stream/internal/voicing"
)

// Stream is a plan with the state of every node. One goroutine uses it.
type Stream struct {
	plan       *patch.Plan
	nodes      []node // by index in the plan; node 0 is the engine
	outs       [2]input
	voices     []voicing.Group // by voice group of the plan
	controls   voicing.Controls
	music      music
	amp        dsp.Ramp
	block      uint64 // the next to render
	seq        uint64 // of the last command
	pending    *pending
	transition *transition // nil: none is under way
	limiter    limiter.Limiter
	faults     uint64
	faulty     uint16 // the node of the last fault
	ignored    uint64
	mix        [2][]float32 // left and right
	probe      *atomic.Uint64
	enc        dsp.Encoder // with dec, lets Save and Restore allocate nothing
	dec        dsp.Decoder
	size       int // upper bound of a saved state in bytes
}

// maxBlock is the longest block in frames.
const maxBlock = 4096

// MaxState is the largest state of a stream in bytes. Workers hand states to one another.
const MaxState = 64 << 20

// prototype is a node's first module, which serves to measure the state of each.
type prototype struct {
	module dsp.Module // nil: the node has none, or keeps those of its predecessor
	bytes  int        // of one module's state
}

// prototypes makes the first module of each node that is new in a transition, or of all nodes if t
// is nil. The check of MaxState comes before the other modules could exhaust the machine's memory.
func prototypes(plan *patch.Plan, t *transition) ([]prototype, error) {
	sum, list := 0, make([]prototype, len(plan.Nodes()))
	for i := range list {
		n := &plan.Nodes()[i]
		if i == 0 || n.Desc.New == nil {
			continue
		}
		if n.Sum != "" && n.Sample == nil {
			return nil, fmt.Errorf("patch %s: node %q: sample %s is not open: call Plan.WithSamples first", plan.Name,
				n.ID, n.Sum)
		}
		if old := t.predecessorOf(i); old != nil {
			list[i].bytes = old.bytes
		} else {
			e := dsp.NewCounter()
			list[i].module = newModule(n, plan)
			list[i].module.Save(e)
			list[i].bytes = e.Count()
		}
		if sum += units(plan, i) * list[i].bytes; sum > MaxState {
			return nil, fmt.Errorf("patch %s: node %q: with it the state takes %d MB; the maximum is %d MB: "+
				"use fewer voices, or move long delays out of the voices", plan.Name, n.ID, sum>>20, MaxState>>20)
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

// build makes a stream whose modules are not connected yet. Modules that a transition takes from
// the old stream are left out.
func build(plan *patch.Plan, t *transition) (*Stream, error) {
	if plan.Block > maxBlock {
		return nil, fmt.Errorf("patch %s: block of %d frames; the maximum is %d", plan.Name, plan.Block, maxBlock)
	}
	list, err := prototypes(plan, t)
	if err != nil {
		return nil, err
	}
	s := &Stream{
		plan: plan, nodes: make([]node, len(plan.Nodes())), pending: new(pending), probe: new(atomic.Uint64),
		limiter: limiter.New(float64(plan.Rate)),
	}
	s.amp.Jump(plan.Nodes()[0].Values[patch.EngineAmp])
	for c := range s.mix {
		s.mix[c] = make([]float32, plan.Block)
	}
	for i := range plan.Nodes()[1:] {
		s.nodes[i+1] = newNode(plan, i+1, list[i+1], t)
	}
	s.controls = newControls(plan)
	for g := range plan.Voices {
		s.voices = append(s.voices, voicing.NewGroup(plan.Voices[g], float64(plan.Rate)))
	}
	s.newMusic()
	s.measureSize()
	return s, nil
}

// SetProbe sets a word in which the stream stores the index plus one of the node that it is
// rendering, and 0 between nodes. After a crash the word names the node. nil removes the word.
func (s *Stream) SetProbe(p *atomic.Uint64) {
	if p == nil {
		p = new(atomic.Uint64)
	}
	s.probe = p
}

// Block returns the number of the next block.
func (s *Stream) Block() uint64 { return s.block }

// Seq returns the number of the last command.
func (s *Stream) Seq() uint64 { return s.seq }

// Faults counts the times that a node produced NaN, infinity or a value above 1e6 in magnitude. The
// node is then silent for the rest of the block, and its state is reset. node is the last one.
func (s *Stream) Faults() (count uint64, node int) { return s.faults, int(s.faulty) }

// Limited counts the blocks that the output limiter held at full scale, and the blocks from which
// it removed a steady offset.
func (s *Stream) Limited() (limited, offset uint64) { return s.limiter.Blocks() }

// Start makes a stream that has rendered nothing begin at a block, after the command seq.
func (s *Stream) Start(block, seq uint64) {
	s.block, s.seq = block, seq
	if s.music.seq != nil {
		s.loadMusic(block * uint64(s.plan.Block))
	}
}

// Ignored counts the commands that were not applied, for example to a missing node or with a value
// out of range.
func (s *Stream) Ignored() uint64 { return s.ignored }
