package patch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/dsp"
)

// engine describes the pseudo node 0.
var engine = dsp.Desc{
	Type: EngineNode,
	Doc:  "What all sound passes last, and what concerns all notes.",
	Params: []dsp.Param{
		{Name: "amp", Min: 0, Max: 1, Default: 1, Doc: "gain of the output, linear; ramped over 5 ms"},
		{Name: "bend", Unit: "st", Min: -24, Max: 24, Doc: "pitch bend of all notes; ramped over 5 ms"},
		{Name: "pressure", Min: 0, Max: 1, Doc: "pressure on all notes; ramped over 5 ms"},
		{Name: "wheel", Min: 0, Max: 1, Doc: "modulation wheel; ramped over 5 ms"},
		{Name: "sustain", Max: 1, Names: []string{"off", "on"}, Doc: "pedal: while it is on, notes that end go on sounding"},
	},
}

// The engine node's parameters.
const (
	EngineAmp = iota
	EngineBend
	EnginePressure
	EngineWheel
	EngineSustain
)

// note describes the pseudo nodes that say what a voice plays: one for each group of voices.
var note = dsp.Desc{
	Type: NoteNode,
	Doc:  "What a voice plays.",
	Outputs: []dsp.Port{
		{Name: "pitch", Unit: "oct", Doc: "above 440 Hz, with glide, detune and bend"},
		{Name: "velocity", Doc: "of the note, 0 to 1"},
		{Name: "gate", Doc: "1 while the note is held, else 0"},
		{Name: "pressure", Doc: "on the note, or on all, whichever is more; 0 to 1"},
		{Name: "wheel", Doc: "the modulation wheel, 0 to 1"},
		{Name: "spread", Doc: "where the voice stands among those of a note in unison: -1 for the lowest to 1 for the highest; 0 where there is one"},
		{Name: "random", Doc: "-1 to 1, another for each note and voice, the same at each playing"},
	},
}

// NoteNode is the index of the note node of a group of voices.
func (p *Plan) NoteNode(group int) int { return 1 + group }

// The note node's outputs.
const (
	NotePitch = iota
	NoteVelocity
	NoteGate
	NotePressure
	NoteWheel
	NoteSpread
	NoteRandom
)

// back describes the pseudo module that lets cables go round.
var back = dsp.Desc{
	Type:    BackType,
	Doc:     "Gives what it heard one block ago: the one way for cables to go round.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "what is given back"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "a block later"}},
}

// Plan is a patch ready to run: checked, ordered, immutable.
type Plan struct {
	Name     string
	Rate     int
	Block    int // frames
	Channels int
	Voices   []Voices
	Music    Music
	Hash     uint64 // of everything that a saved state depends on

	nodes []PlanNode // by index: 0 is the engine, then a note node for each group of voices, then the nodes as they are in the text, then the sequencer and its tracks
	order []int      // of rendering
	outs  []Source   // what is heard, in the order of rendering
	freq  [2]int     // node and parameter that /engine/freq sets; node 0: none
}

// PlanNode is a node of a plan.
type PlanNode struct {
	ID     string
	Desc   *dsp.Desc
	Values []float64  // of the parameters at the start
	Inputs [][]Source // for each input, what is summed, in the order of rendering
	Group  int        // there is one for each voice of this group; NoGroup: just one
	Width  int        // how many modules stand side by side, a channel each: 2 where a module without stereo ports hears a stereo signal
	Back   bool       // it gives what it heard one block ago

	Sum    string      // of the sample that it plays, see Sample; "": none
	Sample *dsp.Sample // nil until WithSamples
}

// Source is an output of a node.
type Source struct{ Node, Port int }

// Note tells whether the node says what a voice plays.
func (n *PlanNode) Note() bool { return n.Desc == &note }

// Stereo tells whether an output of the node has two signals.
func (n *PlanNode) Stereo(port int) bool { return n.Width == 2 || n.Desc.Outputs[port].Stereo }

// Nodes lists the nodes by index. Node 0 is the engine. The slice is the plan's own.
func (p *Plan) Nodes() []PlanNode { return p.nodes }

// Order is the order of rendering, without the engine, the sequencer and its tracks.
func (p *Plan) Order() []int { return p.order }

// Outs are what is heard.
func (p *Plan) Outs() []Source { return p.outs }

// Freq is the parameter that /engine/freq sets; ok is false if the patch names none.
func (p *Plan) Freq() (node, param int, ok bool) { return p.freq[0], p.freq[1], p.freq[0] != 0 }

// Lookup finds a parameter by the names of its node and itself.
func (p *Plan) Lookup(node, param string) (n, i int, err error) {
	n = slices.IndexFunc(p.nodes, func(x PlanNode) bool { return x.ID == node })
	if n < 0 {
		return 0, 0, fmt.Errorf("no node %q%s", clip(node), orNearest(node, p.ids()))
	}
	if i = p.nodes[n].Desc.Index(param); i < 0 {
		return 0, 0, fmt.Errorf("node %q (%s) has no parameter %q%s", node, p.nodes[n].Desc.Type, clip(param), orNearest(param, paramNames(p.nodes[n].Desc)))
	}
	return n, i, nil
}

// Output finds an output by the name of its node, and perhaps its own: node.port.
func (p *Plan) Output(name string) (Source, error) {
	node, port, named := strings.Cut(name, ".")
	n := slices.IndexFunc(p.nodes, func(x PlanNode) bool { return x.ID == node })
	if n < 0 {
		return Source{}, fmt.Errorf("no node %q%s", clip(node), orNearest(node, p.ids()))
	}
	d := p.nodes[n].Desc
	i := 0
	if named {
		i, _ = dsp.FindPort(d.Outputs, port)
	}
	if i < 0 || len(d.Outputs) == 0 {
		return Source{}, fmt.Errorf("node %q (%s) has no output %q%s", node, d.Type, clip(port), orNearest(port, portNames(d.Outputs)))
	}
	return Source{n, i}, nil
}

func (p *Plan) ids() (ids []string) {
	for _, n := range p.nodes {
		ids = append(ids, n.ID)
	}
	return ids
}

func paramNames(d *dsp.Desc) (names []string) {
	for _, p := range d.Params {
		names = append(names, p.Name)
	}
	return names
}

func portNames(ports []dsp.Port) (names []string) {
	for _, p := range ports {
		names = append(names, p.Name)
	}
	return names
}

// hash covers what a saved state depends on: not names of files, nor the values at the start.
func (p *Plan) hash() uint64 {
	h := xxhash.New()
	fmt.Fprintln(h, p.Rate, p.Block, p.Channels, p.order, p.outs)
	for _, t := range p.Music.Tracks {
		fmt.Fprintln(h, t.ID, t.Group, t.Targets)
	}
	for _, v := range p.Voices {
		fmt.Fprintln(h, v.ID, v.Count)
	}
	for _, n := range p.nodes {
		fmt.Fprintln(h, n.ID, n.Desc.Type, n.Inputs, n.Group, n.Width)
		if n.Sum != "" {
			fmt.Fprintln(h, n.Sum)
		}
	}
	return h.Sum64()
}
