package patch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/sequencer"
)

// The edits of a patch check the names that they use. On an error they leave the patch unchanged.
// Only Compile tells whether the whole patch can be played.

// Clone returns a copy. Edits of the copy do not change the patch.
func (p *Patch) Clone() *Patch {
	c := *p
	c.Nodes, c.Runs = slices.Clone(p.Nodes), slices.Clone(p.Runs)
	c.Voices, c.Samples = slices.Clone(p.Voices), slices.Clone(p.Samples)
	c.Music.Patterns, c.Music.Tracks = slices.Clone(p.Music.Patterns), slices.Clone(p.Music.Tracks)
	for i := range c.Nodes {
		c.Nodes[i].Params = slices.Clone(c.Nodes[i].Params)
	}
	for i := range c.Music.Tracks {
		c.Music.Tracks[i].Lanes = slices.Clone(c.Music.Tracks[i].Lanes)
	}
	return &c
}

func (p *Patch) find(id string) int {
	return slices.IndexFunc(p.Nodes, func(n Node) bool { return n.ID == id })
}

// ids lists the names that a cable can use.
func (p *Patch) ids() (ids []string) {
	for _, v := range p.Voices {
		ids = append(ids, v.ID)
	}
	for _, n := range p.Nodes {
		ids = append(ids, n.ID)
	}
	return ids
}

func (p *Patch) node(id string) (*Node, error) {
	if i := p.find(id); i >= 0 {
		return &p.Nodes[i], nil
	}
	return nil, fmt.Errorf("no node %q%s", clip(id), orNearest(id, p.ids()))
}

// typeOf returns the description of a type; nil: the type is unknown.
func (p *Patch) typeOf(name string) *dsp.Desc {
	if name == BackType {
		return &back
	}
	if d := module.ByType(name); d != nil {
		return d
	}
	for _, d := range p.Modules {
		if d.Type == name {
			return d
		}
	}
	return nil
}

// Types returns the types of node that every patch can use: BackType, then those of dsp/module.
func Types() []*dsp.Desc { return append([]*dsp.Desc{&back}, module.All...) }

// types lists the names of all types, those of the program's own modules included.
func (p *Patch) types() (names []string) {
	for _, d := range slices.Concat(Types(), p.Modules) {
		names = append(names, d.Type)
	}
	return names
}

// Create adds a node of a type, kind. If voices names a voice group, every voice of it gets one; if
// voices is "", the node stands outside the voices.
func (p *Patch) Create(id, kind, voices string) error {
	group := NoGroup
	if voices != "" {
		var groups []string
		for _, v := range p.Voices {
			groups = append(groups, v.ID)
		}
		if group = slices.Index(groups, voices); group < 0 {
			return fmt.Errorf("no voices %q%s", clip(voices), orNearest(voices, groups))
		}
	}
	switch {
	case !idForm.MatchString(id):
		return fmt.Errorf("id %q: %s", clip(id), idRule)
	case id == EngineNode || id == Out:
		return fmt.Errorf("id %q: reserved for the engine; choose another id", id)
	case slices.Contains(p.ids(), id):
		return fmt.Errorf("node %q exists already; delete it first, or choose another id", id)
	case p.typeOf(kind) == nil:
		return fmt.Errorf("no module of type %q%s", clip(kind), orNearest(kind, p.types()))
	case len(p.Nodes) >= MaxNodes:
		return fmt.Errorf("too many nodes; the maximum is %d", MaxNodes)
	}
	p.Nodes = append(p.Nodes, Node{ID: id, Type: kind, Group: group})
	return nil
}

// Delete removes a node and its cables. Delete fails while a track's lane sets a parameter of the
// node, and for the last node of a voice group.
func (p *Patch) Delete(id string) error {
	if _, err := p.node(id); err != nil {
		return err
	}
	for _, t := range p.Music.Tracks {
		if slices.ContainsFunc(t.Lanes, func(l Target) bool { return l.Node == id }) {
			return fmt.Errorf("node %q: a lane of track %q sets it; delete the track first", id, t.ID)
		}
	}
	group := p.Nodes[p.find(id)].Group
	alone := group != NoGroup
	for _, n := range p.Nodes {
		alone = alone && (n.ID == id || n.Group != group)
	}
	if alone {
		return fmt.Errorf("node %q is the last node of voices %q; remove the voices from the patch's text instead",
			id, p.Voices[group].ID)
	}
	p.Nodes = slices.DeleteFunc(p.Nodes, func(n Node) bool { return n.ID == id })
	p.cut(func(from, to End) bool { return from.Node == id || to.Node == id })
	if p.Freq.Node == id {
		p.Freq = Target{}
	}
	return nil
}

// cut removes the cables that match and splits their lines.
func (p *Patch) cut(match func(from, to End) bool) (count int) {
	var runs []Run
	for _, r := range p.Runs {
		part := Run{Pos: r.Pos, Ends: []End{r.Ends[0]}}
		flush := func() {
			if len(part.Ends) > 1 {
				first, last := &part.Ends[0], &part.Ends[len(part.Ends)-1]
				first.First, last.Last = true, true
				first.Port, last.Port = p.portOf(*first, true), p.portOf(*last, false)
				runs = append(runs, part)
			}
		}
		for _, e := range r.Ends[1:] {
			if match(part.Ends[len(part.Ends)-1], e) {
				count++
				flush()
				part = Run{Pos: r.Pos}
			}
			part.Ends = append(part.Ends, e)
		}
		flush()
	}
	p.Runs = runs
	return count
}

// end parses one end of a cable, node or node.port: an output if source is true, else an input or
// out.
func (p *Patch) end(text string, source bool) (e End, err error) {
	e.Node, e.Port, _ = strings.Cut(strings.TrimSpace(text), ".")
	if e.Node == Out && !source {
		return e, nil
	}
	if !slices.Contains(p.ids(), e.Node) {
		return e, fmt.Errorf("no node %q%s", clip(e.Node), orNearest(e.Node, p.ids()))
	}
	ports, kind := p.ports(e.Node, source), "input"
	if source {
		kind = "output"
	}
	if port, _ := dsp.FindPort(ports, e.Port); len(ports) == 0 || e.Port != "" && port < 0 {
		return e, fmt.Errorf("node %q has no %s %q%s", e.Node, kind, clip(e.Port), orNearest(e.Port, portNames(ports)))
	}
	return e, nil
}

// ends parses the ends of a cable for Connect and Disconnect.
func (p *Patch) ends(from, to string) (a, b End, err error) {
	if a, err = p.end(from, true); err == nil {
		b, err = p.end(to, false)
	}
	a.First, b.Last = true, true
	return a, b, err
}

// ports returns a node's outputs (source) or inputs; nil: the node is unknown, or it is out.
func (p *Patch) ports(node string, source bool) []dsp.Port {
	desc := &note
	if i := p.find(node); i >= 0 {
		desc = p.typeOf(p.Nodes[i].Type)
	} else if !slices.ContainsFunc(p.Voices, func(v Voices) bool { return v.ID == node }) {
		return nil
	}
	switch {
	case desc == nil:
		return nil
	case source:
		return desc.Outputs
	}
	return desc.Inputs
}

// portOf returns the port that an end names on one side; "": the default port. In the middle of a
// line the name may belong to the other side.
func (p *Patch) portOf(e End, source bool) string {
	if k, _ := dsp.FindPort(p.ports(e.Node, source), e.Port); k < 0 {
		return ""
	}
	return e.Port
}

// same tells whether two ends name the same port.
func (p *Patch) same(a, b End, source bool) bool {
	port := func(e End) string {
		if ports := p.ports(e.Node, source); p.portOf(e, source) == "" && len(ports) > 0 {
			return ports[0].Name
		}
		return e.Port
	}
	return a.Node == b.Node && (a.Node == Out || port(a) == port(b))
}

// Connect adds a cable from an output, named node or node.port, to an input or to out.
func (p *Patch) Connect(from, to string) error {
	a, b, err := p.ends(from, to)
	if err != nil {
		return err
	}
	probe := p.Clone()
	if probe.cut(func(x, y End) bool { return p.same(x, a, true) && p.same(y, b, false) }) > 0 {
		return fmt.Errorf("cable %s > %s exists already", a, b)
	}
	p.Runs = append(p.Runs, Run{Ends: []End{a, b}})
	return nil
}

// Disconnect removes a cable.
func (p *Patch) Disconnect(from, to string) error {
	a, b, err := p.ends(from, to)
	if err != nil {
		return err
	}
	if p.cut(func(x, y End) bool { return p.same(x, a, true) && p.same(y, b, false) }) == 0 {
		return fmt.Errorf("no cable %s > %s", a, b)
	}
	return nil
}

// Set sets the initial value of a parameter: a number, or the name word if word is not "". The rate
// in Hz bounds parameters in Hz.
func (p *Patch) Set(node, param string, value float64, word string, rate int) error {
	n, err := p.node(node)
	if err != nil {
		return err
	}
	d := p.typeOf(n.Type)
	if d == nil {
		return fmt.Errorf("no module of type %q", clip(n.Type))
	}
	s := Setting{Name: param, Number: value, Word: word}
	c := compiler{Patch: p, plan: &Plan{Rate: rate}}
	if err := c.set(*n, d, defaults(d), s); err != nil {
		return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), fmt.Sprintf("patch %s:0:0: ", p.File)))
	}
	for i := range n.Params {
		if n.Params[i].Name == param {
			n.Params[i] = s
			return nil
		}
	}
	n.Params = append(n.Params, s)
	return nil
}

// CreateTrack adds a track that plays a voice group. If voices is "", the track only sets
// parameters.
func (p *Patch) CreateTrack(id, voices string) error {
	switch {
	case !idForm.MatchString(id):
		return fmt.Errorf("id %q: %s", clip(id), idRule)
	case slices.ContainsFunc(p.Music.Tracks, func(t Track) bool { return t.ID == id }):
		return fmt.Errorf("track %q exists already; choose another id", id)
	case len(p.Music.Tracks) >= sequencer.Tracks:
		return fmt.Errorf("too many tracks; the maximum is %d", sequencer.Tracks)
	case voices != "" && !slices.ContainsFunc(p.Voices, func(v Voices) bool { return v.ID == voices }):
		return fmt.Errorf("no voices %q%s", clip(voices), orNearest(voices, p.ids()))
	}
	t := newTrack(Pos{})
	t.ID, t.Voices = id, voices
	p.Music.Tracks = append(p.Music.Tracks, t)
	return nil
}

func (p *Patch) track(id string) (*Track, error) {
	var ids []string
	for i := range p.Music.Tracks {
		if p.Music.Tracks[i].ID == id {
			return &p.Music.Tracks[i], nil
		}
		ids = append(ids, p.Music.Tracks[i].ID)
	}
	return nil, fmt.Errorf("no track %q%s", clip(id), orNearest(id, ids))
}

// DeleteTrack removes a track. With the last track it removes all patterns, since no track could
// play them.
func (p *Patch) DeleteTrack(id string) error {
	if _, err := p.track(id); err != nil {
		return err
	}
	p.Music.Tracks = slices.DeleteFunc(p.Music.Tracks, func(t Track) bool { return t.ID == id })
	if len(p.Music.Tracks) == 0 {
		p.Music.Patterns = nil
	}
	return nil
}

// ConfigTrack sets the length of a track's steps, like 1/16 or 1/8t, and the number of steps of its
// cycle. With 0 steps the cycle is as long as the pattern.
func (p *Patch) ConfigTrack(id, division string, steps int) error {
	t, err := p.track(id)
	if err != nil {
		return err
	}
	d, err := sequencer.ParseDivision(division)
	if err != nil {
		return err
	}
	if steps < 0 || steps > sequencer.MaxSteps {
		return fmt.Errorf("track %q: %d steps; must be 1 to %d, or 0 for the length of its pattern", id, steps,
			sequencer.MaxSteps)
	}
	t.Division, t.Steps = d, steps
	return nil
}

// SetTrack sets a parameter of a track by its address: pattern, now, mute, swing or transpose.
// Unknown tracks and parameters are ignored.
func (p *Patch) SetTrack(id, param string, value float64) {
	t, err := p.track(id)
	if err != nil {
		return
	}
	switch param {
	case "pattern", "now":
		t.Pattern = int(value)
	case "mute":
		t.Mute = value > 0
	case "swing":
		t.Swing = value
	case "transpose":
		t.Transpose = int(value)
	}
}

// Lane lets a lane of a track set a parameter, named node.param. Lanes count from 0. A new lane
// must be the next one.
func (p *Patch) Lane(id string, lane int, target string) error {
	t, err := p.track(id)
	if err != nil {
		return err
	}
	node, param, _ := strings.Cut(target, ".")
	n, err := p.node(node)
	if err != nil {
		return err
	}
	d := p.typeOf(n.Type)
	switch {
	case d == nil || d.Index(param) < 0:
		return fmt.Errorf("node %q (%s) has no parameter %q", node, n.Type, clip(param))
	case lane < 0 || lane > len(t.Lanes) || lane >= sequencer.Lanes:
		return fmt.Errorf("track %q: lane %d: the track has lanes 0 to %d at most; the next is %d", id, lane,
			sequencer.Lanes-1, len(t.Lanes))
	case lane == len(t.Lanes):
		t.Lanes = append(t.Lanes, Target{})
	}
	t.Lanes[lane] = Target{Node: node, Param: param}
	return nil
}
