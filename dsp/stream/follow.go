package stream

import (
	"slices"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
)

// PrepareTransition makes the stream that can go on in this one's place with another plan, of the same rate, block and channels: what has the same id, type and sample in
// both keeps its state. It may run while another goroutine renders this one, and changes nothing of it; HandOver does the rest.
func (s *Stream) PrepareTransition(plan *patch.Plan) (*Stream, error) {
	m := &move{old: s, frames: int(fadeSeconds*float64(plan.Rate) + 0.5), up: make([]float32, plan.Block)}
	m.findKin(plan)
	to, err := build(plan, m)
	if err != nil {
		return nil, err
	}
	to.move = m
	m.share(to)
	to.wire()
	m.findFades(to)
	if m.turns = m.order(to, true); m.turns == nil {
		m.freeze(to)
		m.turns = m.order(to, false)
	}
	m.findSets(to)
	m.findMusic(to)
	return to, nil
}

// findKin finds which nodes and groups go on.
func (m *move) findKin(now *patch.Plan) {
	old := m.old.plan
	m.heirs = make([]int, len(old.Nodes()))
	for k := range m.heirs {
		m.heirs[k] = -1
	}
	for g := range now.Voices {
		m.groups = append(m.groups, slices.IndexFunc(old.Voices, func(v patch.Voices) bool { return v.ID == now.Voices[g].ID }))
	}
	for i := range now.Nodes() {
		n := &now.Nodes()[i]
		k := slices.IndexFunc(old.Nodes(), func(x patch.PlanNode) bool { return x.ID == n.ID && x.Desc == n.Desc && x.Sum == n.Sum })
		if k >= 0 {
			was := &old.Nodes()[k]
			same := was.Group == patch.NoGroup && n.Group == patch.NoGroup ||
				was.Group != patch.NoGroup && n.Group != patch.NoGroup && m.groups[n.Group] == was.Group
			if !same {
				k = -1
			}
		}
		if m.kin = append(m.kin, k); k >= 0 {
			m.heirs[k] = i
		}
	}
}

// share gives the new stream the modules, signals and voices that go on.
func (m *move) share(to *Stream) {
	for k := range m.old.nodes {
		m.stays = append(m.stays, make([]bool, len(m.old.nodes[k].units)))
	}
	for g, k := range m.groups {
		if k >= 0 {
			copy(to.voices[g].list, m.old.voices[k].list)
		}
	}
	for i, k := range m.kin {
		n := &to.nodes[i]
		for u := range n.units {
			unit, at := &n.units[u], m.place(n, i, u)
			if at >= 0 {
				unit.Module, unit.out = m.old.nodes[k].units[at].Module, m.old.nodes[k].units[at].out
				m.stays[k][at] = true
				continue
			}
			if n.gated && n.group != patch.NoGroup {
				m.gates = append(m.gates, heldGate{to.voices[n.group].list[u/n.width], unit})
			}
		}
	}
}

// kinOf is the old stream's node that goes on as node i; nil: none does, or there is no old stream.
func (m *move) kinOf(i int) *node {
	if m == nil || m.kin[i] < 0 {
		return nil
	}
	return &m.old.nodes[m.kin[i]]
}

// place is where the old stream has what goes on as unit u of n, its node i; -1: that is new.
func (m *move) place(n *node, i, u int) int {
	old := m.kinOf(i)
	if old == nil || u%n.width >= old.width {
		return -1
	}
	if at := u/n.width*old.width + u%n.width; at < len(old.units) {
		return at
	}
	return -1
}

// was is the unit itself; nil: it is new.
func (m *move) was(n *node, i, u int) *unit {
	if at := m.place(n, i, u); at >= 0 {
		return &m.kinOf(i).units[at]
	}
	return nil
}

// findFades compares what every input hears with what it heard.
func (m *move) findFades(to *Stream) {
	for i := range to.nodes {
		ports := to.plan.Nodes()[i].Desc.Inputs
		for u := range to.nodes[i].units {
			unit, was := &to.nodes[i].units[u], m.was(&to.nodes[i], i, u)
			for k := range unit.in {
				switch in := &unit.in[k]; {
				case was != nil:
					m.fade(in, was.in[k].from, to.plan.Block)
				case portOf(ports, k).Unit == "": // what steers a new module need not fade in
					m.fade(in, nil, to.plan.Block)
				}
			}
		}
	}
	for c := range to.outs {
		m.fade(&to.outs[c], m.old.outs[c].from, to.plan.Block)
	}
}

// portOf is the port of an input's number.
func portOf(ports []dsp.Port, signal int) *dsp.Port {
	for i := range ports {
		if signal -= dsp.Signals(ports[i : i+1]); signal < 0 {
			return &ports[i]
		}
	}
	return nil
}

// fade finds what comes and what goes of an input.
func (m *move) fade(in *input, was []signal, block int) {
	has := func(list []signal, sig signal) bool {
		return slices.ContainsFunc(list, func(x signal) bool { return &x.buf[0] == &sig.buf[0] })
	}
	via, differs := make([]signal, 0, len(in.from)+len(was)), false
	for _, sig := range in.from {
		if !has(was, sig) {
			sig.fade, differs = coming, true
		}
		via = append(via, sig)
	}
	for _, sig := range was {
		if !has(in.from, sig) {
			sig.fade, differs = going, true
			via = append(via, sig)
		}
	}
	if !differs {
		return
	}
	in.via = via
	if in.sum == nil {
		in.sum = make([]float32, block)
	}
	m.inputs = append(m.inputs, in)
}

// order is the order in which the nodes of both streams are rendered while it moves; nil: with what goes (fading) there is none.
func (m *move) order(to *Stream, fading bool) []turn {
	count := len(to.nodes)
	leaves := func(k int) bool { return slices.Contains(m.stays[k], false) && !m.old.nodes[k].pseudo }
	// A turn's number is its node's in the new plan, or that in the old one plus count.
	sources := func(inputs [][]patch.Source, old bool) (from []int) {
		for _, in := range inputs {
			for _, src := range in {
				switch {
				case !old && !to.nodes[src.Node].back:
					from = append(from, src.Node)
				case old && !m.old.nodes[src.Node].back:
					if m.heirs[src.Node] >= 0 {
						from = append(from, m.heirs[src.Node])
					}
					if leaves(src.Node) {
						from = append(from, count+src.Node)
					}
				}
			}
		}
		return from
	}
	waits := map[int][]int{}
	var all []int
	for _, i := range to.plan.Order() {
		all = append(all, i)
		if to.nodes[i].back {
			continue
		}
		waits[i] = sources(to.plan.Nodes()[i].Inputs, false)
		if k := m.kin[i]; k >= 0 && fading {
			waits[i] = append(waits[i], sources(m.old.plan.Nodes()[k].Inputs, true)...)
		}
	}
	for _, k := range m.old.plan.Order() {
		if leaves(k) {
			all = append(all, count+k)
			if !m.old.nodes[k].back {
				waits[count+k] = sources(m.old.plan.Nodes()[k].Inputs, true)
			}
		}
	}
	return m.sorted(to, all, waits)
}

// sorted puts every turn behind those that it waits for; nil: they go round.
func (m *move) sorted(to *Stream, all []int, waits map[int][]int) (turns []turn) {
	done := map[int]bool{}
	for len(turns) < len(all) {
		at := slices.IndexFunc(all, func(t int) bool {
			return !done[t] && !slices.ContainsFunc(waits[t], func(from int) bool { return from != t && !done[from] })
		})
		if at < 0 {
			return nil
		}
		t := all[at]
		done[t] = true
		if t < len(to.nodes) {
			turns = append(turns, turn{to, t})
		} else {
			turns = append(turns, turn{m.old, t - len(to.nodes)})
		}
	}
	return turns
}

// freeze has what goes stand still as it fades, wherever a node hears it.
func (m *move) freeze(to *Stream) {
	for _, in := range m.inputs {
		if in == &to.outs[0] || in == &to.outs[1] {
			continue
		}
		for i := range in.via {
			if sig := &in.via[i]; sig.fade == going {
				f := frozen{value: make([]float32, len(sig.buf)), of: sig.buf}
				sig.buf = f.value
				m.frozen = append(m.frozen, f)
			}
		}
	}
}

// findSets finds the parameters that have another value.
func (m *move) findSets(to *Stream) {
	for i, k := range m.kin {
		if k < 0 {
			continue
		}
		n := &to.plan.Nodes()[i]
		for p, v := range n.Values {
			if v != m.old.plan.Nodes()[k].Values[p] && !(n.Track() && p == patch.TrackNow) {
				m.sets = append(m.sets, setting{i, p, v})
			}
		}
	}
}

// findMusic finds what changes of tracks and patterns.
func (m *move) findMusic(to *Stream) {
	old, now, x := &m.old.plan.Music, &to.plan.Music, &m.music
	used := map[int]bool{}
	for i := range x.from {
		x.from[i] = -1
	}
	for i, t := range now.Tracks {
		k := slices.IndexFunc(old.Tracks, func(o patch.Track) bool { return o.ID == t.ID })
		if x.from[i] = k; k < 0 {
			continue
		}
		if g := old.Tracks[k].Group; g == patch.NoGroup && t.Group == patch.NoGroup || g != patch.NoGroup && t.Group != patch.NoGroup && m.groups[t.Group] == g {
			used[k] = true
		}
	}
	for k := range old.Tracks {
		if !used[k] {
			x.released = append(x.released, k)
		}
	}
	silent, _ := sequencer.ParsePattern("................")
	for _, p := range now.Patterns {
		if k := slices.IndexFunc(old.Patterns, func(o patch.Pattern) bool { return o.Number == p.Number }); k < 0 || old.Patterns[k].Pattern != p.Pattern {
			x.patterns = append(x.patterns, p)
		}
	}
	for _, p := range old.Patterns {
		if !slices.ContainsFunc(now.Patterns, func(o patch.Pattern) bool { return o.Number == p.Number }) {
			x.patterns = append(x.patterns, patch.Pattern{Number: p.Number, Pattern: silent})
		}
	}
	x.bar = old.Bar != now.Bar
}
