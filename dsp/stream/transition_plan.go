package stream

import (
	"slices"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/toposort"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
)

// PrepareTransition makes a stream that can replace this one with another plan of the same rate,
// block and channels. A node with the same id, type and sample in both plans keeps its state.
// Another goroutine may render this stream meanwhile, since nothing of it changes; Switch does the
// rest.
func (s *Stream) PrepareTransition(plan *patch.Plan) (*Stream, error) {
	t := &transition{old: s, frames: int(fadeSeconds*float64(plan.Rate) + 0.5), gains: make([]float32, plan.Block)}
	t.findPredecessors(plan)
	to, err := build(plan, t)
	if err != nil {
		return nil, err
	}
	to.transition = t
	t.share(to)
	to.wire()
	t.findFades(to)
	if t.steps = t.order(to, true); t.steps == nil {
		t.holdSignals(to)
		t.steps = t.order(to, false)
	}
	t.findSettings(to)
	t.findMusic(to)
	return to, nil
}

// findPredecessors finds the nodes and voice groups of the old plan that continue.
func (t *transition) findPredecessors(now *patch.Plan) {
	old := t.old.plan
	t.successors = slices.Repeat([]int{-1}, len(old.Nodes()))
	for g := range now.Voices {
		t.groups = append(t.groups, slices.IndexFunc(old.Voices,
			func(v patch.Voices) bool { return v.ID == now.Voices[g].ID }))
	}
	for i := range now.Nodes() {
		n := &now.Nodes()[i]
		k := slices.IndexFunc(old.Nodes(), func(x patch.PlanNode) bool {
			return x.ID == n.ID && x.Desc == n.Desc && x.Sum == n.Sum
		})
		if k >= 0 && !t.sameGroup(old.Nodes()[k].Group, n.Group) {
			k = -1
		}
		if t.predecessors = append(t.predecessors, k); k >= 0 {
			t.successors[k] = i
		}
	}
}

// sameGroup tells whether a voice group of the old plan continues as one of the new plan.
func (t *transition) sameGroup(old, now int) bool {
	if old == patch.NoGroup || now == patch.NoGroup {
		return old == now
	}
	return t.groups[now] == old
}

// share gives the new stream the modules, signals and voices that continue.
func (t *transition) share(to *Stream) {
	for k := range t.old.nodes {
		t.reused = append(t.reused, make([]bool, len(t.old.nodes[k].units)))
	}
	for g, k := range t.groups {
		if k >= 0 {
			to.voices[g].Share(&t.old.voices[k])
		}
	}
	for i, k := range t.predecessors {
		n := &to.nodes[i]
		for u := range n.units {
			unit, at := &n.units[u], t.predecessorIndex(n, i, u)
			if at >= 0 {
				unit.Module, unit.out = t.old.nodes[k].units[at].Module, t.old.nodes[k].units[at].out
				t.reused[k][at] = true
				continue
			}
			if n.gated && n.group != patch.NoGroup {
				t.gates = append(t.gates, newGate{to.voices[n.group].Voice(u / n.width), unit})
			}
		}
	}
}

// predecessorOf returns the old node that continues as node i, or nil if there is none or no
// transition.
func (t *transition) predecessorOf(i int) *node {
	if t == nil || t.predecessors[i] < 0 {
		return nil
	}
	return &t.old.nodes[t.predecessors[i]]
}

// predecessorIndex returns the index, in the old node, of the unit that continues as unit u of n,
// its node i; -1: the unit is new.
func (t *transition) predecessorIndex(n *node, i, u int) int {
	old := t.predecessorOf(i)
	if old == nil || u%n.width >= old.width {
		return -1
	}
	if at := u/n.width*old.width + u%n.width; at < len(old.units) {
		return at
	}
	return -1
}

// predecessorUnit returns that unit; nil: the unit is new.
func (t *transition) predecessorUnit(n *node, i, u int) *unit {
	if at := t.predecessorIndex(n, i, u); at >= 0 {
		return &t.predecessorOf(i).units[at]
	}
	return nil
}

// findFades compares the sources of every input with its old ones.
func (t *transition) findFades(to *Stream) {
	for i := range to.nodes {
		ports := to.plan.Nodes()[i].Desc.Inputs
		for u := range to.nodes[i].units {
			unit, old := &to.nodes[i].units[u], t.predecessorUnit(&to.nodes[i], i, u)
			for k := range unit.in {
				switch in := &unit.in[k]; {
				case old != nil:
					t.fade(in, old.in[k].from, to.plan.Block)
				case portOf(ports, k).Unit == "": // control signals of a new module need no fade
					t.fade(in, nil, to.plan.Block)
				}
			}
		}
	}
	for c := range to.outs {
		t.fade(&to.outs[c], t.old.outs[c].from, to.plan.Block)
	}
}

// portOf returns the port that an input signal belongs to.
func portOf(ports []dsp.Port, signal int) *dsp.Port {
	for i := range ports {
		if signal -= dsp.Signals(ports[i : i+1]); signal < 0 {
			return &ports[i]
		}
	}
	return nil
}

// fade finds the sources of an input that fade in and out.
func (t *transition) fade(in *input, old []signal, block int) {
	has := func(list []signal, sig signal) bool {
		return slices.ContainsFunc(list, func(x signal) bool { return &x.buf[0] == &sig.buf[0] })
	}
	blended, differs := make([]signal, 0, len(in.from)+len(old)), false
	for _, sig := range in.from {
		if !has(old, sig) {
			sig.fade, differs = fadingIn, true
		}
		blended = append(blended, sig)
	}
	for _, sig := range old {
		if !has(in.from, sig) {
			sig.fade, differs = fadingOut, true
			blended = append(blended, sig)
		}
	}
	if !differs {
		return
	}
	in.blended = blended
	if in.sum == nil {
		in.sum = make([]float32, block)
	}
	t.inputs = append(t.inputs, in)
}

// removed tells whether node k of the old stream has units that the new stream does not own.
func (t *transition) removed(k int) bool {
	return slices.Contains(t.reused[k], false) && !t.old.nodes[k].pseudo
}

// order returns the order in which the nodes of both streams are rendered. The order is nil if
// there is none. This happens only if fading, when a node also follows the old sources of its
// inputs.
func (t *transition) order(to *Stream, fading bool) (steps []step) {
	// An item is a node's index in the new plan, or count plus its index in the old plan.
	count := len(to.nodes)
	waits := map[int][]int{}
	var items []int
	for _, i := range to.plan.Order() {
		items = append(items, i)
		if to.nodes[i].feedback {
			continue
		}
		for _, in := range to.plan.Nodes()[i].Inputs {
			for _, src := range in {
				if !to.nodes[src.Node].feedback {
					waits[i] = append(waits[i], src.Node)
				}
			}
		}
		if k := t.predecessors[i]; k >= 0 && fading {
			waits[i] = append(waits[i], t.oldSources(k, count)...)
		}
	}
	for _, k := range t.old.plan.Order() {
		if t.removed(k) {
			items = append(items, count+k)
			if !t.old.nodes[k].feedback {
				waits[count+k] = t.oldSources(k, count)
			}
		}
	}
	for item, list := range waits {
		waits[item] = slices.DeleteFunc(list, func(from int) bool { return from == item })
	}
	sorted, ok := toposort.Sort(items, waits)
	if !ok {
		return nil
	}
	for _, item := range sorted {
		if item < count {
			steps = append(steps, step{to, item})
		} else {
			steps = append(steps, step{t.old, item - count})
		}
	}
	return steps
}

// oldSources lists the sources of node k of the old plan, as the items of order.
func (t *transition) oldSources(k, count int) (from []int) {
	for _, in := range t.old.plan.Nodes()[k].Inputs {
		for _, src := range in {
			if t.old.nodes[src.Node].feedback {
				continue
			}
			if t.successors[src.Node] >= 0 {
				from = append(from, t.successors[src.Node])
			}
			if t.removed(src.Node) {
				from = append(from, count+src.Node)
			}
		}
	}
	return from
}

// holdSignals replaces signals that fade out at a node by their last values.
func (t *transition) holdSignals(to *Stream) {
	for _, in := range t.inputs {
		if in == &to.outs[0] || in == &to.outs[1] {
			continue
		}
		for i := range in.blended {
			if sig := &in.blended[i]; sig.fade == fadingOut {
				h := heldSignal{value: make([]float32, len(sig.buf)), of: sig.buf}
				sig.buf = h.value
				t.heldSignals = append(t.heldSignals, h)
			}
		}
	}
}

// findSettings finds the parameters whose values differ.
func (t *transition) findSettings(to *Stream) {
	for i, k := range t.predecessors {
		if k < 0 {
			continue
		}
		n := &to.plan.Nodes()[i]
		for p, v := range n.Values {
			if v != t.old.plan.Nodes()[k].Values[p] && !(n.Track() && p == patch.TrackNow) {
				t.sets = append(t.sets, setting{i, p, v})
			}
		}
	}
}

// findMusic finds the changes of tracks and patterns.
func (t *transition) findMusic(to *Stream) {
	old, now, change := &t.old.plan.Music, &to.plan.Music, &t.music
	used := map[int]bool{}
	for i := range change.from {
		change.from[i] = -1
	}
	for i, track := range now.Tracks {
		k := slices.IndexFunc(old.Tracks, func(o patch.Track) bool { return o.ID == track.ID })
		if change.from[i] = k; k >= 0 && t.sameGroup(old.Tracks[k].Group, track.Group) {
			used[k] = true
		}
	}
	for k := range old.Tracks {
		if !used[k] {
			change.released = append(change.released, k)
		}
	}
	silent, _ := sequencer.ParsePattern("................")
	for _, p := range now.Patterns {
		k := slices.IndexFunc(old.Patterns, func(o patch.Pattern) bool { return o.Number == p.Number })
		if k < 0 || old.Patterns[k].Pattern != p.Pattern {
			change.patterns = append(change.patterns, p)
		}
	}
	for _, p := range old.Patterns {
		if !slices.ContainsFunc(now.Patterns, func(o patch.Pattern) bool { return o.Number == p.Number }) {
			change.patterns = append(change.patterns, patch.Pattern{Number: p.Number, Pattern: silent})
		}
	}
	change.bar = old.Bar != now.Bar
}
