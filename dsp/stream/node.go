package stream

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
)

// node is a node's modules: one, or one for each voice, and of each of those two where it hears a stereo signal.
type node struct {
	units  []unit // by voice, then by channel
	width  int
	group  int  // of voices; patch.NoGroup: none
	bytes  int  // of each module's state
	bypass bool // it is not rendered any more: what comes in goes out
	gated  bool
	sounds bool
	back   bool
	note   bool    // the stream itself renders it
	pseudo bool    // it has no signal: the sequencer, or a track
	stereo [2]bool // the first input is, and the first output
}

// unit is a module with its signals.
type unit struct {
	dsp.Module
	in        []input
	out       [][]float32 // the signals of the present block
	ins, outs [][]float32 // views for Render, cut to the present piece
	mute      bool        // it has faulted in this block
	held      []float32   // of a back node: what it gives next
}

// signal is what an input hears: the block of an output's signal, of a voice or of all.
type signal struct {
	buf   []float32
	voice *voice // nil: of none
	fade  fade
}

// input is one signal that a module hears.
type input struct {
	from []signal
	via  []signal  // instead of from, while the stream moves; nil: the same
	sum  []float32 // where several cables meet, or voices; nil where there is one
}

// units is how many modules a node has.
func units(plan *patch.Plan, i int) int {
	p := &plan.Nodes()[i]
	if p.Group != patch.NoGroup {
		return p.Width * plan.Voices[p.Group].Count
	}
	return p.Width
}

// newNode makes a node with its modules, the first of which is there, and without those that go on by m.
func newNode(plan *patch.Plan, i int, has first, m *move) node {
	p := &plan.Nodes()[i]
	n := node{width: p.Width, bytes: has.bytes, group: p.Group, gated: p.Desc.Gated, sounds: p.Desc.GeneratesSound, back: p.Back, note: p.Note()}
	if n.pseudo = p.Pseudo(); n.pseudo {
		return n
	}
	n.stereo = [2]bool{len(p.Desc.Inputs) > 0 && p.Desc.Inputs[0].Stereo, p.Desc.Outputs[0].Stereo}
	n.units = make([]unit, units(plan, i))
	for k := range n.units {
		u := &n.units[k]
		goesOn := m.was(&n, i, k) != nil
		switch {
		case n.back:
			u.held = make([]float32, plan.Block)
		case n.note, goesOn:
		case k == 0 && has.module != nil:
			u.Module = has.module
		default:
			u.Module = newModule(p, plan)
		}
		u.in, u.ins = make([]input, dsp.Signals(p.Desc.Inputs)), make([][]float32, dsp.Signals(p.Desc.Inputs))
		u.out, u.outs = make([][]float32, dsp.Signals(p.Desc.Outputs)), make([][]float32, dsp.Signals(p.Desc.Outputs))
		for j := range u.out {
			if !goesOn {
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

// wire finds the signals that every module hears, and those that are heard.
func (s *Stream) wire() {
	defer s.findHeard()
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
			s.outs[c].from = s.append(s.outs[c].from, src, -1, c)
		}
	}
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
				in.from = s.append(in.from, src, voice, c)
				if p.Width == 1 && !p.Desc.Inputs[port].Stereo && s.plan.Nodes()[src.Node].Stereo(src.Port) {
					in.from = s.append(in.from, src, voice, 1) // a mono port of a stereo module hears both
				}
			}
			if len(in.from) > 1 {
				in.sum = make([]float32, s.plan.Block)
			}
			sig++
		}
	}
}

// append adds a channel of a source: for a voice that of the same voice, for others those of all voices.
func (s *Stream) append(to []signal, src patch.Source, voice, channel int) []signal {
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
			from.voice = s.voices[n.group].list[v]
		}
		to = append(to, from)
	}
	return to
}

// silent tells whether a signal is of a voice that sleeps.
func (sig *signal) silent() bool { return sig.voice != nil && !sig.voice.awake }

var silence [maxBlock]float32

// gather is what an input hears: a signal, or the sum of several in their fixed order.
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

// hear lets modules that faulted in the block before be heard again.
func (n *node) hear() {
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

// through stands in for a node that is bypassed: its first input goes out, at its first output. Behind a gate it would sound for ever, and
// what goes into a source is no sound: those are silent.
func (n *node) through(u *unit) {
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

func (u *unit) clear() {
	for _, out := range u.outs {
		clear(out)
	}
}

// forget clears the block before: of a voice that slept it may be any, and no state has it.
func (u *unit) forget() {
	for _, out := range u.out {
		clear(out)
	}
}

// goBack lets every back node take up what it gives in the next block; all of them hear this block, none the next.
func (s *Stream) goBack() {
	for pass := range 2 {
		s.backPass(s, pass)
		if s.move != nil {
			s.backPass(s.move.old, pass)
		}
	}
}

func (s *Stream) backPass(of *Stream, pass int) {
	for i := range of.nodes {
		n := &of.nodes[i]
		if !n.back {
			continue
		}
		for k := range n.units {
			switch u := &n.units[k]; {
			case of != s && s.move.stays[i][k]:
			case pass == 0:
				copy(u.held, s.move.gather(&u.in[0], 0, s.plan.Block))
			default:
				copy(u.out[0], u.held)
			}
		}
	}
}
