package patch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/toposort"
	"github.com/music-chronus/chronus/dsp/module"
)

type compiler struct {
	*Patch
	plan  *Plan
	index map[string]int // of the nodes, by id
	pos   []Pos          // of the nodes, by index
}

// Compile checks a patch against the known modules and makes a plan of it. The rate is in Hz, the
// block in frames. An error names the file, the line and the node.
func Compile(p *Patch, rate, block, channels int) (*Plan, error) {
	if rate <= 0 || block <= 0 || channels <= 0 {
		return nil, fmt.Errorf("patch %s: rate %d, block %d, channels %d: all must be above 0", p.File, rate, block,
			channels)
	}
	c := &compiler{
		Patch: p, index: map[string]int{}, pos: []Pos{{}},
		plan: &Plan{Name: p.Name, Rate: rate, Block: block, Channels: channels, Voices: p.Voices,
			nodes: []PlanNode{{ID: EngineNode, Desc: &engine, Values: defaults(&engine), Group: NoGroup, Width: 1}}},
	}
	for _, step := range []func() error{c.addNodes, c.addCables, c.sort, c.widen, c.addFreq, c.addMusic} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	c.plan.Hash = c.plan.hash()
	return c.plan, nil
}

// CheckModules returns an error if a program's own modules lack a type or New, or if a type is
// used twice.
func CheckModules(own []*dsp.Desc) error {
	for i, d := range own {
		switch {
		case d == nil || d.Type == "" || d.New == nil:
			return fmt.Errorf("module %d of the program: the type or New is missing; set both", i)
		case module.ByType(d.Type) != nil || d.Type == BackType:
			return fmt.Errorf("module %q of the program: Chronus has a module of this type; choose another name",
				d.Type)
		}
		for _, other := range own[:i] {
			if other.Type == d.Type {
				return fmt.Errorf("module %q of the program: listed twice; remove one", d.Type)
			}
		}
	}
	return nil
}

func defaults(d *dsp.Desc) (v []float64) {
	for _, p := range d.Params {
		v = append(v, p.Default)
	}
	return v
}

func (c *compiler) addNodes() error {
	voices, units := 0, 0
	for g, v := range c.Voices {
		if _, twice := c.index[v.ID]; twice {
			return at(c.File, v.Pos, "voices %q: another group has this id; choose another id", v.ID)
		}
		if voices += v.Count; voices > MaxVoices {
			return at(c.File, v.Pos, "voices %q: with them the patch has %d voices; the maximum is %d", v.ID, voices,
				MaxVoices)
		}
		c.add(v.ID, &note, nil, g, v.Pos)
	}
	for _, n := range c.Nodes {
		if _, twice := c.index[n.ID]; twice {
			return at(c.File, n.Pos, "node %q: another node has this id; choose another id", n.ID)
		}
		d := c.typeOf(n.Type)
		if d == nil {
			return at(c.File, n.Pos, "node %q: no module of type %q%s", n.ID, clip(n.Type),
				orNearest(n.Type, c.types()))
		}
		if n.Group != NoGroup && d == &back {
			return at(c.File, n.Pos, "node %q: a %s cannot be in a voice; move it to the nodes of the patch", n.ID,
				BackType)
		}
		values := defaults(d)
		for _, s := range n.Params {
			if err := c.set(n, d, values, s); err != nil {
				return err
			}
		}
		if n.Group != NoGroup {
			if units += c.Voices[n.Group].Count; units > MaxUnits {
				return at(c.File, n.Pos, "node %q: with it the voices have %d nodes in all; the maximum is %d", n.ID,
					units, MaxUnits)
			}
		}
		c.add(n.ID, d, values, n.Group, n.Pos)
		if err := c.giveSample(n, d); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) add(id string, d *dsp.Desc, values []float64, group int, pos Pos) {
	c.index[id] = len(c.plan.nodes)
	c.pos = append(c.pos, pos)
	c.plan.nodes = append(c.plan.nodes, PlanNode{
		ID: id, Desc: d, Values: values, Inputs: make([][]Source, len(d.Inputs)),
		Group: group, Width: 1, Back: d == &back,
	})
}

func (c *compiler) set(n Node, d *dsp.Desc, values []float64, s Setting) error {
	i := d.Index(s.Name)
	if i < 0 {
		return at(c.File, s.Pos, "node %q (%s) has no parameter %q%s", n.ID, d.Type, clip(s.Name),
			orNearest(s.Name, paramNames(d)))
	}
	p, v := &d.Params[i], s.Number
	if s.Word != "" {
		w := slices.Index(p.Names, s.Word)
		if len(p.Names) == 0 {
			return at(c.File, s.Pos, "node %q: %s is the word %q; it must be a number, %s", n.ID, p.Name,
				clip(s.Word), p.Domain(float64(c.plan.Rate)))
		}
		if w < 0 {
			return at(c.File, s.Pos, "node %q: %s is %q; it must be %s", n.ID, p.Name, clip(s.Word),
				p.Domain(float64(c.plan.Rate)))
		}
		v = float64(w)
	}
	if err := p.Check(v, float64(c.plan.Rate)); err != nil {
		return at(c.File, s.Pos, "node %q: %w", n.ID, err)
	}
	values[i] = v
	return nil
}

func (c *compiler) addCables() error {
	count := 0
	for _, r := range c.Runs {
		for i := 1; i < len(r.Ends); i++ {
			if count++; count > MaxCables {
				return at(c.File, r.Pos, "too many cables; the maximum is %d", MaxCables)
			}
			if err := c.connect(r, r.Ends[i-1], r.Ends[i]); err != nil {
				return err
			}
		}
	}
	if len(c.plan.outs) == 0 {
		return fmt.Errorf("patch %s: no cable ends at %s; add one: node > %s", c.File, Out, Out)
	}
	return nil
}

func (c *compiler) connect(r Run, src, dst End) error {
	from, err := c.source(r, src)
	if err != nil {
		return err
	}
	if dst.Node == Out {
		if dst.Port != "" {
			return at(c.File, r.Pos, "cable to %s.%s: %s has no ports; place a signal by a pan node", Out,
				clip(dst.Port), Out)
		}
		if slices.Contains(c.plan.outs, from) {
			return at(c.File, r.Pos, "cable %s > %s: connected already; remove one of the two", src, dst)
		}
		c.plan.outs = append(c.plan.outs, from)
		return nil
	}
	to, ok := c.index[dst.Node]
	if ok {
		a, b := c.plan.nodes[from.Node].Group, c.plan.nodes[to].Group
		if a != b && a != NoGroup && b != NoGroup {
			return at(c.File, r.Pos, "cable %s > %s: the nodes are in different groups of voices; "+
				"put a node outside the voices between them", src, dst)
		}
	}
	if !ok {
		return at(c.File, r.Pos, "cable to %q: no such node%s", clip(dst.Node),
			orNearest(dst.Node, append(c.plan.ids()[1:], Out)))
	}
	n := &c.plan.nodes[to]
	if len(n.Inputs) == 0 {
		return at(c.File, r.Pos, "cable to %s: a %s has no input; end the cable at another node", dst, n.Desc.Type)
	}
	port := 0
	// In "a > b.x > c" x is an input of b, or the output that continues to c.
	if p, _ := dsp.FindPort(n.Desc.Outputs, dst.Port); dst.Port != "" && p < 0 {
		if port, _ = dsp.FindPort(n.Desc.Inputs, dst.Port); port < 0 {
			return at(c.File, r.Pos, "node %q (%s) has no input %q%s", dst.Node, n.Desc.Type, clip(dst.Port),
				orNearest(dst.Port, portNames(n.Desc.Inputs)))
		}
	} else if dst.Port != "" && dst.Last {
		return at(c.File, r.Pos, "cable to %s: %s is an output of node %q (%s); end the cable at an input%s", dst,
			clip(dst.Port), dst.Node, n.Desc.Type, orNearest(dst.Port, portNames(n.Desc.Inputs)))
	}
	if slices.Contains(n.Inputs[port], from) {
		return at(c.File, r.Pos, "cable %s > %s: connected already; remove one of the two", src, dst)
	}
	n.Inputs[port] = append(n.Inputs[port], from)
	return nil
}

// source finds the output where a cable begins.
func (c *compiler) source(r Run, src End) (Source, error) {
	from, ok := c.index[src.Node]
	if !ok {
		return Source{}, at(c.File, r.Pos, "cable from %q: no such node%s", clip(src.Node),
			orNearest(src.Node, c.plan.ids()[1:]))
	}
	d := c.plan.nodes[from].Desc
	if src.Port == "" {
		return Source{from, 0}, nil
	}
	port, _ := dsp.FindPort(d.Outputs, src.Port)
	if in, _ := dsp.FindPort(d.Inputs, src.Port); port < 0 && in >= 0 && !src.First {
		return Source{from, 0}, nil // the port names the input where the cable before ends
	}
	if port < 0 {
		return Source{}, at(c.File, r.Pos, "node %q (%s) has no output %q%s", src.Node, d.Type, clip(src.Port),
			orNearest(src.Port, portNames(d.Outputs)))
	}
	return Source{from, port}, nil
}

// sort finds the order of rendering: every node follows the nodes that it hears. The first in
// the text comes first where several nodes could be next.
func (c *compiler) sort() error {
	var nodes []int
	waits := map[int][]int{}
	for i := 1; i < len(c.plan.nodes); i++ {
		nodes = append(nodes, i)
		if c.plan.nodes[i].Back {
			continue // it gives the last block
		}
		for _, in := range c.plan.nodes[i].Inputs {
			for _, from := range in {
				waits[i] = append(waits[i], from.Node)
			}
		}
	}
	order, ok := toposort.Sort(nodes, waits)
	place := make([]int, len(c.plan.nodes)) // in the order, from 1; 0: none
	for k, i := range order {
		place[i] = k + 1
	}
	if !ok {
		return c.cycle(place)
	}
	c.plan.order = order
	byPlace := func(list []Source) {
		slices.SortStableFunc(list, func(x, y Source) int {
			return cmp.Or(cmp.Compare(place[x.Node], place[y.Node]), cmp.Compare(x.Port, y.Port))
		})
	}
	byPlace(c.plan.outs)
	for i := range c.plan.nodes {
		for _, in := range c.plan.nodes[i].Inputs {
			byPlace(in)
		}
	}
	return nil
}

// cycle reports one cycle among the nodes that have no place.
func (c *compiler) cycle(place []int) error {
	at0 := slices.IndexFunc(place[1:], func(p int) bool { return p == 0 }) + 1
	var path []int
	for i := at0; ; {
		if k := slices.Index(path, i); k >= 0 {
			path = append(path[k:], i)
			break
		}
		path = append(path, i)
		for _, in := range c.plan.nodes[i].Inputs {
			for _, from := range in {
				if place[from.Node] == 0 {
					i = from.Node
				}
			}
		}
	}
	slices.Reverse(path)
	var names []string
	for _, i := range path {
		names = append(names, c.plan.nodes[i].ID)
	}
	return at(c.File, c.pos[path[0]], "the cables form a cycle: %s; put a node of type %s into it",
		strings.Join(names, " > "), BackType)
}

// widen finds the nodes with stereo signals. The search repeats until nothing changes, since nodes
// in a feedback loop may widen one another.
func (c *compiler) widen() error {
	for changed := true; changed; {
		changed = false
		for _, i := range c.plan.order {
			n := &c.plan.nodes[i]
			if n.Width == 2 || n.Desc.Stereo() || n.Desc == &note {
				continue
			}
			for _, in := range n.Inputs {
				for _, from := range in {
					if c.plan.nodes[from.Node].Stereo(from.Port) {
						n.Width, changed = 2, true
					}
				}
			}
		}
	}
	return nil
}

func (c *compiler) addFreq() error {
	if c.Freq == (Target{}) {
		return nil
	}
	n, i, err := c.plan.Lookup(c.Freq.Node, c.Freq.Param)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s is not a node of the patch; name one of its nodes", EngineNode)
	}
	if err != nil {
		return at(c.File, c.Freq.Pos, "freq: %w", err)
	}
	c.plan.freq = [2]int{n, i}
	return nil
}
