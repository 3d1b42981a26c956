package stream

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream/internal/voicing"
)

// node is the modules of a node: one for each voice, and two of each if the node hears a stereo
// signal without stereo ports.
type node struct {
	units    []unit // by voice, then by channel
	width    int    // units of one voice
	group    int    // voice group; patch.NoGroup: none
	bytes    int    // of each module's state
	bypass   bool   // units pass their input through
	gated    bool
	sounds   bool    // generates sound without an input
	feedback bool    // a back node: gives what it heard one block ago
	note     bool    // a note node: its voice renders it
	pseudo   bool    // the sequencer or a track: no signal
	stereo   [2]bool // first input, first output
}

// unit is a module with its signals.
type unit struct {
	dsp.Module
	in        []input
	out       [][]float32 // the signals of the present block
	ins, outs [][]float32 // views for Render, cut to the present piece
	mute      bool        // the module had a fault in this block
	next      []float32   // of a feedback node: its output in the next block
}

// signal is one source of an input: the block of a unit's output.
type signal struct {
	buf   []float32
	voice *voicing.Voice // nil: outside the voices
	fade  fade
}

// input is one signal that a module hears, the sum of its sources.
type input struct {
	from    []signal
	blended []signal  // replaces from during a transition; nil: the same
	sum     []float32 // nil if there is one source at most
}

// units is the number of modules of a node.
func units(plan *patch.Plan, i int) int {
	p := &plan.Nodes()[i]
	if p.Group != patch.NoGroup {
		return p.Width * plan.Voices[p.Group].Count
	}
	return p.Width
}

// newNode makes a node with its modules, except those that a transition takes from the old stream.
func newNode(plan *patch.Plan, i int, first prototype, t *transition) node {
	p := &plan.Nodes()[i]
	n := node{
		width: p.Width, bytes: first.bytes, group: p.Group, gated: p.Desc.Gated, sounds: p.Desc.GeneratesSound,
		feedback: p.Back, note: p.Note(),
	}
	if n.pseudo = p.Pseudo(); n.pseudo {
		return n
	}
	n.stereo = [2]bool{len(p.Desc.Inputs) > 0 && p.Desc.Inputs[0].Stereo, p.Desc.Outputs[0].Stereo}
	n.units = make([]unit, units(plan, i))
	ins, outs := dsp.Signals(p.Desc.Inputs), dsp.Signals(p.Desc.Outputs)
	for k := range n.units {
		u := &n.units[k]
		reused := t.predecessorUnit(&n, i, k) != nil
		switch {
		case n.feedback:
			u.next = make([]float32, plan.Block)
		case n.note, reused:
		case k == 0 && first.module != nil:
			u.Module = first.module
		default:
			u.Module = newModule(p, plan)
		}
		u.in, u.ins = make([]input, ins), make([][]float32, ins)
		u.out, u.outs = make([][]float32, outs), make([][]float32, outs)
		for j := range u.out {
			if !reused {
				u.out[j] = make([]float32, plan.Block)
			}
		}
	}
	return n
}

func newModule(n *patch.PlanNode, plan *patch.Plan) dsp.Module {
	m := n.Desc.New(float64(plan.Rate))
	if p, ok := m.(dsp.Player); ok && n.Sample != nil {
		p.SetSample(n.Sample)
	}
	for p, v := range n.Values {
		m.Set(p, v)
	}
	m.Reset()
	return m
}

// wire connects the inputs of all modules and of the stream's outputs.
func (s *Stream) wire() {
	for i := range s.nodes[1:] {
		p, n := &s.plan.Nodes()[i+1], &s.nodes[i+1]
		for k := range n.units {
			voice := -1
			if n.group != patch.NoGroup {
				voice = k / n.width
			}
			s.wireUnit(p, &n.units[k], voice, k%n.width)
		}
	}
	for _, src := range s.plan.Outs() {
		for c := range s.outs {
			s.outs[c].from = s.appendSource(s.outs[c].from, src, -1, c)
		}
	}
	s.wireVoices()
}

func (s *Stream) wireUnit(p *patch.PlanNode, u *unit, voice, channel int) {
	sig := 0
	for port, sources := range p.Inputs {
		channels := []int{channel}
		if p.Desc.Inputs[port].Stereo {
			channels = []int{0, 1}
		}
		for _, c := range channels {
			in := &u.in[sig]
			for _, src := range sources {
				in.from = s.appendSource(in.from, src, voice, c)
				if p.Width == 1 && !p.Desc.Inputs[port].Stereo && s.plan.Nodes()[src.Node].Stereo(src.Port) {
					in.from = s.appendSource(in.from, src, voice, 1) // a mono port of a stereo module hears both
				}
			}
			if len(in.from) > 1 {
				in.sum = make([]float32, s.plan.Block)
			}
			sig++
		}
	}
}

// appendSource adds a channel of a source. An input in the same voice group hears its own voice
// only, any other input (voice -1) hears all voices.
func (s *Stream) appendSource(to []signal, src patch.Source, voice, channel int) []signal {
	p, n := &s.plan.Nodes()[src.Node], &s.nodes[src.Node]
	_, sig := dsp.FindPort(p.Desc.Outputs, p.Desc.Outputs[src.Port].Name)
	if p.Desc.Outputs[src.Port].Stereo {
		sig += channel
	}
	for v := range len(n.units) / n.width {
		if n.group != patch.NoGroup && voice >= 0 && v != voice {
			continue
		}
		from := signal{buf: n.units[v*n.width+channel%n.width].out[sig]}
		if n.group != patch.NoGroup {
			from.voice = s.voices[n.group].Voice(v)
		}
		to = append(to, from)
	}
	return to
}

// silent tells whether the signal belongs to a sleeping voice.
func (sig *signal) silent() bool { return sig.voice != nil && !sig.voice.Awake }

var silence [maxBlock]float32

// gather sums the sources of an input in their fixed order. A single source is not copied.
func (in *input) gather(from, to int) []float32 {
	var first, sum []float32
	for i := range in.from {
		switch sig := &in.from[i]; {
		case sig.silent():
		case first == nil:
			first = sig.buf[from:to]
		case sum == nil:
			sum = in.sum[from:to]
			for j, v := range sig.buf[from:to] {
				sum[j] = first[j] + v
			}
		default:
			for j, v := range sig.buf[from:to] {
				sum[j] += v
			}
		}
	}
	switch {
	case first == nil:
		return silence[:to-from]
	case sum == nil:
		return first
	}
	return sum
}

// unmute ends the silence of modules that had a fault in the last block.
func (n *node) unmute() {
	for u := range n.units {
		n.units[u].mute = false
	}
}

// gate opens or closes the gates of all units.
func (n *node) gate(on bool) {
	for u := range n.units {
		n.units[u].Gate(on)
	}
}

// passThrough copies a bypassed node's first input to its first output. A gated node is silent
// instead, since it would sound for ever, and so is a generator, whose inputs are no audio.
func (n *node) passThrough(u *unit) {
	u.clear()
	if n.gated || n.sounds || len(u.ins) == 0 {
		return
	}
	copy(u.outs[0], u.ins[0])
	switch {
	case n.stereo[0] && n.stereo[1]:
		copy(u.outs[1], u.ins[1])
	case n.stereo[1]:
		copy(u.outs[1], u.ins[0])
	}
}

// clear silences the present piece.
func (u *unit) clear() {
	for _, out := range u.outs {
		clear(out)
	}
}

// clearBlock clears the last block when a voice wakes. A saved state does not contain it, so
// streams would differ in it.
func (u *unit) clearBlock() {
	for _, out := range u.out {
		clear(out)
	}
}
