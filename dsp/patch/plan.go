package patch

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/module"
)

// engine describes the pseudo node 0.
var engine = dsp.Desc{
	Type: EngineNode,
	Doc:  "What all sound passes last.",
	Params: []dsp.Param{
		{Name: "amp", Min: 0, Max: 1, Default: 1, Doc: "gain of the output, linear; ramped over 5 ms"},
	},
}

// EngineAmp is the index of the engine node's parameter amp.
const EngineAmp = 0

// Plan is a patch ready to run: checked, ordered, immutable.
type Plan struct {
	Name     string
	Rate     int
	Block    int // frames
	Channels int
	Hash     uint64 // of everything that a saved state depends on

	nodes []PlanNode // by index: 0 is the engine, then the nodes as they are in the text
	order []int      // of rendering
	outs  []int      // nodes that are heard, in the order of rendering
	freq  [2]int     // node and parameter that /engine/freq sets; node 0: none
}

// PlanNode is a node of a plan.
type PlanNode struct {
	ID     string
	Desc   *dsp.Desc
	Values []float64 // of the parameters at the start
	Inputs [][]int   // for each input, the nodes whose outputs are summed, in the order of rendering
}

// Nodes lists the nodes by index. Node 0 is the engine. The slice is the plan's own.
func (p *Plan) Nodes() []PlanNode { return p.nodes }

// Order is the order of rendering, without the engine, and Outs those that are heard.
func (p *Plan) Order() []int { return p.order }

// Outs are the nodes that are heard.
func (p *Plan) Outs() []int { return p.outs }

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

// compiler checks a patch and builds its plan.
type compiler struct {
	*Patch
	plan  *Plan
	index map[string]int // of the nodes, by id
	pos   []Pos
}

// Compile checks a patch against the modules that exist and makes a plan of it.
// rate in Hz, block in frames.
func Compile(p *Patch, rate, block, channels int) (*Plan, error) {
	if rate <= 0 || block <= 0 || channels <= 0 {
		return nil, fmt.Errorf("patch %s: rate %d, block %d, channels %d: all must be above 0", p.File, rate, block, channels)
	}
	c := &compiler{
		Patch: p, index: map[string]int{}, pos: []Pos{{}},
		plan: &Plan{Name: p.Name, Rate: rate, Block: block, Channels: channels,
			nodes: []PlanNode{{ID: EngineNode, Desc: &engine, Values: defaults(&engine)}}},
	}
	for _, step := range []func() error{c.addNodes, c.addCables, c.sort, c.addFreq} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	c.plan.Hash = c.plan.hash()
	return c.plan, nil
}

func defaults(d *dsp.Desc) (v []float64) {
	for _, p := range d.Params {
		v = append(v, p.Default)
	}
	return v
}

func (c *compiler) addNodes() error {
	for _, n := range c.Nodes {
		if _, twice := c.index[n.ID]; twice {
			return at(c.File, n.Pos, "a second node called %q", n.ID)
		}
		d := module.ByType(n.Type)
		if d == nil {
			var types []string
			for _, m := range module.All {
				types = append(types, m.Type)
			}
			return at(c.File, n.Pos, "node %q: no module of type %q%s", n.ID, clip(n.Type), orNearest(n.Type, types))
		}
		values := defaults(d)
		for _, s := range n.Params {
			if err := c.set(n, d, values, s); err != nil {
				return err
			}
		}
		c.index[n.ID] = len(c.plan.nodes)
		c.pos = append(c.pos, n.Pos)
		c.plan.nodes = append(c.plan.nodes, PlanNode{ID: n.ID, Desc: d, Values: values, Inputs: make([][]int, len(d.Inputs))})
	}
	return nil
}

func (c *compiler) set(n Node, d *dsp.Desc, values []float64, s Setting) error {
	i := d.Index(s.Name)
	if i < 0 {
		return at(c.File, s.Pos, "node %q (%s) has no parameter %q%s", n.ID, d.Type, clip(s.Name), orNearest(s.Name, paramNames(d)))
	}
	p, v := &d.Params[i], s.Number
	if s.Word != "" {
		w := slices.Index(p.Names, s.Word)
		if w < 0 {
			return at(c.File, s.Pos, "node %q: %s is %q, it must be %s", n.ID, p.Name, clip(s.Word), p.Domain(float64(c.plan.Rate)))
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
		for i := 1; i < len(r.IDs); i++ {
			if count++; count > MaxCables {
				return at(c.File, r.Pos, "more than %d cables", MaxCables)
			}
			if err := c.connect(r, r.IDs[i-1], r.IDs[i]); err != nil {
				return err
			}
		}
	}
	if len(c.plan.outs) == 0 {
		return fmt.Errorf("patch %s: nothing is connected to %s: end a cable there (node > %s)", c.File, Out, Out)
	}
	return nil
}

func (c *compiler) connect(r Run, src, dst string) error {
	from, ok := c.index[src]
	if !ok {
		return at(c.File, r.Pos, "a cable from %q, which is no node%s", clip(src), orNearest(src, c.plan.ids()[1:]))
	}
	if dst == Out {
		if slices.Contains(c.plan.outs, from) {
			return at(c.File, r.Pos, "a second cable from %s to %s", src, dst)
		}
		c.plan.outs = append(c.plan.outs, from)
		return nil
	}
	to, ok := c.index[dst]
	if !ok {
		return at(c.File, r.Pos, "a cable to %q, which is no node%s", clip(dst), orNearest(dst, append(c.plan.ids()[1:], Out)))
	}
	n := &c.plan.nodes[to]
	if len(n.Inputs) == 0 {
		return at(c.File, r.Pos, "a cable to %s, but a %s has no input", dst, n.Desc.Type)
	}
	if slices.Contains(n.Inputs[0], from) {
		return at(c.File, r.Pos, "a second cable from %s to %s", src, dst)
	}
	n.Inputs[0] = append(n.Inputs[0], from)
	return nil
}

// sort finds an order in which every node comes after those that it hears (Kahn), the same one
// always: of the nodes that can come next, the first in the text does.
func (c *compiler) sort() error {
	place := make([]int, len(c.plan.nodes)) // 0: not yet; else its place in the order, from 1
	for len(c.plan.order) < len(c.plan.nodes)-1 {
		next := 0
		for i := 1; i < len(c.plan.nodes) && next == 0; i++ {
			if place[i] == 0 && !c.waits(i, place) {
				next = i
			}
		}
		if next == 0 {
			return c.cycle(place)
		}
		c.plan.order = append(c.plan.order, next)
		place[next] = len(c.plan.order)
	}
	byPlace := func(list []int) { sort.Slice(list, func(a, b int) bool { return place[list[a]] < place[list[b]] }) }
	byPlace(c.plan.outs)
	for i := range c.plan.nodes {
		for _, in := range c.plan.nodes[i].Inputs {
			byPlace(in)
		}
	}
	return nil
}

func (c *compiler) waits(i int, place []int) bool {
	for _, in := range c.plan.nodes[i].Inputs {
		for _, from := range in {
			if place[from] == 0 {
				return true
			}
		}
	}
	return false
}

// cycle names the nodes of one cycle among those that have no place.
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
				if place[from] == 0 {
					i = from
				}
			}
		}
	}
	slices.Reverse(path)
	var names []string
	for _, i := range path {
		names = append(names, c.plan.nodes[i].ID)
	}
	return at(c.File, c.pos[path[0]], "the cables go round: %s", strings.Join(names, " > "))
}

func (c *compiler) addFreq() error {
	if c.Freq == (Target{}) {
		return nil
	}
	n, i, err := c.plan.Lookup(c.Freq.Node, c.Freq.Param)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s is no node of the patch", EngineNode)
	}
	if err != nil {
		return at(c.File, c.Freq.Pos, "freq: %w", err)
	}
	c.plan.freq = [2]int{n, i}
	return nil
}

// hash covers what a saved state depends on: not names of files, nor the values at the start.
func (p *Plan) hash() uint64 {
	h := xxhash.New()
	fmt.Fprintln(h, p.Rate, p.Block, p.Channels, p.order, p.outs)
	for _, n := range p.nodes {
		fmt.Fprintln(h, n.ID, n.Desc.Type, n.Inputs)
	}
	return h.Sum64()
}
