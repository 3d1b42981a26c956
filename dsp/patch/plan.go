package patch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/dsp"
)

// engine describes node 0.
var engine = dsp.Desc{
	Type: EngineNode,
	Doc:  "What all sound passes last, and what concerns all notes.",
	Params: []dsp.Param{
		{Name: "amp", Min: 0, Max: 1, Default: 1, Doc: "gain of the output, linear; ramped over 5 ms"},
		{Name: "bend", Unit: "st", Min: -24, Max: 24, Doc: "pitch bend of all notes; ramped over 5 ms"},
		{Name: "pressure", Min: 0, Max: 1, Doc: "pressure on all notes; ramped over 5 ms"},
		{Name: "wheel", Min: 0, Max: 1, Doc: "modulation wheel; ramped over 5 ms"},
		{Name: "sustain", Max: 1, Names: []string{"off", "on"},
			Doc: "pedal: while it is on, notes that end go on sounding"},
	},
}

// The parameters of the engine's node.
const (
	EngineAmp = iota
	EngineBend
	EnginePressure
	EngineWheel
	EngineSustain
)

// note describes the pseudo nodes that give the pitch, velocity and gate of a voice. Each voice
// group has one.
var note = dsp.Desc{
	Type: NoteNode,
	Doc:  "What a voice plays.",
	Outputs: []dsp.Port{
		{Name: "pitch", Unit: "oct", Doc: "above 440 Hz, with glide, detune and bend"},
		{Name: "velocity", Doc: "of the note, 0 to 1"},
		{Name: "gate", Doc: "1 while the note is held, else 0"},
		{Name: "pressure", Doc: "on the note, or on all, whichever is more; 0 to 1"},
		{Name: "wheel", Doc: "the modulation wheel, 0 to 1"},
		{Name: "spread", Doc: "where the voice stands among those of a note in unison: " +
			"-1 for the lowest to 1 for the highest; 0 where there is one"},
		{Name: "random", Doc: "-1 to 1, another for each note and voice, the same at each playing"},
	},
}

// NoteNode returns the index of the note node of a voice group.
func (p *Plan) NoteNode(group int) int { return 1 + group }

// The outputs of a note node.
const (
	NotePitch = iota
	NoteVelocity
	NoteGate
	NotePressure
	NoteWheel
	NoteSpread
	NoteRandom
)

// back describes the pseudo module of a feedback node.
var back = dsp.Desc{
	Type:    BackType,
	Doc:     "Gives what it heard one block ago: the one way for cables to go round.",
	Inputs:  []dsp.Port{{Name: "in", Doc: "what is given back"}},
	Outputs: []dsp.Port{{Name: "out", Doc: "a block later"}},
}

// Plan is a compiled patch: checked, ordered, immutable. Its nodes are the engine (0), a note node
// for each voice group, the nodes of the text in order, the sequencer and its tracks.
type Plan struct {
	Name     string
	Rate     int
	Block    int // frames
	Channels int
	Voices   []Voices
	Music    Music
	Hash     uint64 // of everything that the layout of a saved state depends on

	nodes []PlanNode
	order []int    // of rendering
	outs  []Source // audible outputs, in the order of rendering
	freq  [2]int   // node and parameter that /engine/freq sets; node 0: none
}

// PlanNode is a node of a plan.
type PlanNode struct {
	ID     string
	Desc   *dsp.Desc
	Values []float64  // initial values of the parameters
	Inputs [][]Source // the sources of each input, in the order of rendering
	Group  int        // each voice of this group has one; NoGroup: there is one
	// 2: two modules, one for each channel, since a module without stereo ports hears a stereo
	// signal; else 1
	Width int
	Back  bool // a feedback node: it gives what it heard one block ago

	Sum    string      // SHA-256 of its sample, see Sample; "": none
	Sample *dsp.Sample // nil until WithSamples
}

// Source is an output of a node.
type Source struct{ Node, Port int }

// Note tells whether the node is the note node of a voice group.
func (n *PlanNode) Note() bool { return n.Desc == &note }

// Stereo tells whether an output of the node is stereo.
func (n *PlanNode) Stereo(port int) bool { return n.Width == 2 || n.Desc.Outputs[port].Stereo }

// Nodes returns the nodes by index. The slice belongs to the plan.
func (p *Plan) Nodes() []PlanNode { return p.nodes }

// Order returns the order of rendering, by index. The engine, the sequencer and its tracks are not
// in it.
func (p *Plan) Order() []int { return p.order }

// Outs returns the audible outputs.
func (p *Plan) Outs() []Source { return p.outs }

// Freq returns the parameter that /engine/freq sets. ok is false if the patch names none.
func (p *Plan) Freq() (node, param int, ok bool) { return p.freq[0], p.freq[1], p.freq[0] != 0 }

// Lookup finds a parameter by the names of its node and itself. An error suggests the nearest name.
func (p *Plan) Lookup(node, param string) (n, i int, err error) {
	n = slices.IndexFunc(p.nodes, func(x PlanNode) bool { return x.ID == node })
	if n < 0 {
		return 0, 0, fmt.Errorf("no node %q%s", clip(node), orNearest(node, p.ids()))
	}
	if i = p.nodes[n].Desc.Index(param); i < 0 {
		return 0, 0, fmt.Errorf("node %q (%s) has no parameter %q%s", node, p.nodes[n].Desc.Type, clip(param),
			orNearest(param, paramNames(p.nodes[n].Desc)))
	}
	return n, i, nil
}

// Output finds an output, named node or node.port. An error suggests the nearest name.
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
		return Source{}, fmt.Errorf("node %q (%s) has no output %q%s", node, d.Type, clip(port),
			orNearest(port, portNames(d.Outputs)))
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

// hash covers what the layout of a saved state depends on. File names and initial values are not in
// it.
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
