package patch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/sequencer"
)

// The edits of a patch. Each checks what it names, and leaves the patch as it was with an error; whether the whole can be played, Compile says.

// Clone is a copy that shares nothing which edits change.
func (p *Patch) Clone() *Patch {
	c := *p
	c.Nodes, c.Runs, c.Voices, c.Samples = slices.Clone(p.Nodes), slices.Clone(p.Runs), slices.Clone(p.Voices), slices.Clone(p.Samples)
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

// ids are the names that a cable can have.
func (p *Patch) ids() (ids []string) {
	for _, v := range p.Voices {
		ids = append(ids, v.ID)
	}
	for _, n := range p.Nodes {
		ids = append(ids, n.ID)
	}
	return ids
}

// node is the one of an id, for an edit.
func (p *Patch) node(id string) (*Node, error) {
	if i := p.find(id); i >= 0 {
		return &p.Nodes[i], nil
	}
	return nil, fmt.Errorf("no node %q%s", clip(id), orNearest(id, p.ids()))
}

// typeOf is what a type of node does; nil: there is none.
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

// types are the names of all types, those of the program's own modules included.
func (p *Patch) types() (names []string) {
	for _, d := range slices.Concat(Types(), p.Modules) {
		names = append(names, d.Type)
	}
	return names
}

// Create adds a node: one for each voice of a group, or with voices "" just one.
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
		return fmt.Errorf("id %q: must be a lower-case letter, then at most %d lower-case letters, digits or _", clip(id), MaxID-1)
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

// Delete takes a node away, with its cables. It is refused while a track's lane sets a parameter of it.
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
		return fmt.Errorf("node %q is the last node of voices %q; remove the voices from the patch's text instead", id, p.Voices[group].ID)
	}
	p.Nodes = slices.DeleteFunc(p.Nodes, func(n Node) bool { return n.ID == id })
	p.cut(func(from, to End) bool { return from.Node == id || to.Node == id })
	if p.Freq.Node == id {
		p.Freq = Target{}
	}
	return nil
}

// cut takes away the cables that match.
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

// end reads the end of a cable, node or node.port, out or in.
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

// ends are the ends of a cable, as Connect and Disconnect take them.
func (p *Patch) ends(from, to string) (a, b End, err error) {
	if a, err = p.end(from, true); err == nil {
		b, err = p.end(to, false)
	}
	a.First, b.Last = true, true
	return a, b, err
}

// ports are a node's outputs (source) or inputs; nil: there is no such node, or it is out.
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

// portOf is the port that an end names on one side; "": the default, in the middle of a line the other side's may be named.
func (p *Patch) portOf(e End, source bool) string {
	if k, _ := dsp.FindPort(p.ports(e.Node, source), e.Port); k < 0 {
		return ""
	}
	return e.Port
}

// same tells whether two ends mean one port.
func (p *Patch) same(a, b End, source bool) bool {
	port := func(e End) string {
		if ports := p.ports(e.Node, source); p.portOf(e, source) == "" && len(ports) > 0 {
			return ports[0].Name
		}
		return e.Port
	}
	return a.Node == b.Node && (a.Node == Out || port(a) == port(b))
}

// Connect adds a cable from an output, node or node.port, to an input or to out.
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

// Disconnect takes a cable away.
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

// Set gives a parameter of a node its value at the start: a number, or with word not "" a name.
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

// CreateTrack adds a track that plays on a group of voices, or with "" only sets parameters.
func (p *Patch) CreateTrack(id, voices string) error {
	switch {
	case !idForm.MatchString(id):
		return fmt.Errorf("id %q: must be a lower-case letter, then at most %d lower-case letters, digits or _", clip(id), MaxID-1)
	case slices.ContainsFunc(p.Music.Tracks, func(t Track) bool { return t.ID == id }):
		return fmt.Errorf("track %q exists already; choose another id", id)
	case len(p.Music.Tracks) >= sequencer.Tracks:
		return fmt.Errorf("too many tracks; the maximum is %d", sequencer.Tracks)
	case voices != "" && !slices.ContainsFunc(p.Voices, func(v Voices) bool { return v.ID == voices }):
		return fmt.Errorf("no voices %q%s", clip(voices), orNearest(voices, p.ids()))
	}
	p.Music.Tracks = append(p.Music.Tracks, Track{ID: id, Voices: voices, Pattern: sequencer.None, Division: sequencer.Division{Num: 1, Den: 4}, Swing: 0.5})
	return nil
}

// track is the one of an id, for an edit.
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

// DeleteTrack takes a track away; the last one with all patterns, which nothing could play.
func (p *Patch) DeleteTrack(id string) error {
	if _, err := p.track(id); err != nil {
		return err
	}
	if p.Music.Tracks = slices.DeleteFunc(p.Music.Tracks, func(t Track) bool { return t.ID == id }); len(p.Music.Tracks) == 0 {
		p.Music.Patterns = nil
	}
	return nil
}

// ConfigTrack gives a track the length of its steps, like 1/16 or 1/8t, and of its round, 0: as long as its pattern.
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
		return fmt.Errorf("track %q: %d steps; must be 1 to %d, or 0 for the length of its pattern", id, steps, sequencer.MaxSteps)
	}
	t.Division, t.Steps = d, steps
	return nil
}

// SetTrack gives a track the value that a parameter of it has by address: pattern, now, mute, swing or transpose.
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

// Lane has a track's lane of a number, from 0, set a parameter, named node.param. The lanes before it must be there.
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
		return fmt.Errorf("track %q: lane %d: the track has lanes 0 to %d at most; the next is %d", id, lane, sequencer.Lanes-1, len(t.Lanes))
	case lane == len(t.Lanes):
		t.Lanes = append(t.Lanes, Target{})
	}
	t.Lanes[lane] = Target{Node: node, Param: param}
	return nil
}
