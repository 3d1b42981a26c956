package stream

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream/internal/voicing"
)

// Kind is what a command does.
type Kind uint16

// The kinds of commands. Note and Pressure are for note nodes, the kinds from Steps on for the
// sequencer's node.
const (
	Set        Kind = 1  // sets the parameter Param
	Gate       Kind = 2  // opens (Value > 0) or closes a gate
	Bypass     Kind = 3  // bypasses a node (Value > 0) or plays it again
	Note       Kind = 4  // begins the note Param at velocity Value, ends it (0), or ends all (Param 128)
	Pressure   Kind = 5  // sets the pressure on the note Param
	Steps      Kind = 6  // sets the number of steps of the pattern Param>>6
	Trig       Kind = 7  // sets what the step Param&63 of the pattern Param>>6 does
	StepNote   Kind = 8  // sets that step's note
	StepGate   Kind = 9  // sets that step's gate, 0.05 to 1
	StepChance Kind = 10 // sets that step's probability, 0 to 1
	Ramp       Kind = 11 // moves the tempo to Value in Param tenths of a second
)

// Command is one change of one node.
type Command struct {
	Seq   uint64
	Frame uint64 // absolute; 0 or a past frame: the first frame of the block that the command enters
	Kind  Kind
	Node  uint16 // index in the plan
	Param uint16
	Value float64
}

// Push takes a command, which enters the next block. Commands come in the order of their Seq. A
// command whose Seq is not above the last one is ignored.
func (s *Stream) Push(c Command) {
	if c.Seq <= s.seq {
		s.ignored++
		return
	}
	s.seq = c.Seq
	c.Frame = max(c.Frame, s.block*uint64(s.plan.Block))
	if s.pending.n == pendingMax {
		s.apply(s.pending.take())
		s.ignored++
	}
	s.pending.put(c)
}

// Drop counts a command for another plan as ignored.
func (s *Stream) Drop(seq uint64) {
	s.seq = max(s.seq, seq)
	s.ignored++
}

// applyDue applies the commands that are due at a frame.
func (s *Stream) applyDue(frame uint64) {
	for next, ok := s.pending.next(); ok && next <= frame; next, ok = s.pending.next() {
		s.apply(s.pending.take())
	}
}

// apply applies a command, or counts it as ignored. If it panics, the probe still names the node.
func (s *Stream) apply(c Command) {
	if int(c.Node) >= len(s.nodes) {
		s.ignored++
		return
	}
	s.probe.Store(uint64(c.Node) + 1)
	if !s.tryApply(c, s.plan.Nodes()[c.Node].Desc) {
		s.ignored++
	}
	s.probe.Store(0)
}

func (s *Stream) tryApply(c Command, desc *dsp.Desc) bool {
	n := &s.nodes[c.Node]
	switch {
	case c.Kind == Note && n.note && c.Param < voicing.Keys && c.Value >= 0 && c.Value <= 1:
		s.beginNote(n.group, int(c.Param), c.Value)
	case c.Kind == Note && n.note && c.Param == voicing.Keys && c.Value == 0:
		s.endAllNotes(n.group)
	case c.Kind == Pressure && n.note && c.Param < voicing.Keys && c.Value >= 0 && c.Value <= 1:
		s.voices[n.group].Press(int(c.Param), c.Value)
	case c.Kind >= Steps && c.Kind <= Ramp:
		return int(c.Node) == s.music.node && c.Node > 0 && s.music.edit(c)
	case c.Kind == Bypass && c.Node > 0 && !n.note && !n.pseudo:
		n.bypass = c.Value > 0
	case c.Kind == Gate && desc.Gated && n.group == patch.NoGroup && !math.IsNaN(c.Value):
		n.gate(c.Value > 0)
	case c.Kind != Set || int(c.Param) >= len(desc.Params) || desc.Params[c.Param].Check(c.Value,
		float64(s.plan.Rate)) != nil:
		return false
	case n.pseudo:
		return s.music.setParam(int(c.Node)-s.music.node-1, int(c.Param), c.Value, c.Frame)
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
		s.controls.Bend.To(v/12, frames)
	case patch.EnginePressure:
		s.controls.Pressure.To(v, frames)
	case patch.EngineWheel:
		s.controls.Wheel.To(v, frames)
	case patch.EngineSustain:
		s.setPedal(v > 0)
	}
}
