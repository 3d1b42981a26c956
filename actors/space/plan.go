package space

import (
	"fmt"
	"math"
	"strings"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

// The tempos that /seq/ramp accepts, in beats a minute.
const (
	minTempo = 20
	maxTempo = 400
)

// stepBits is how many bits of a command's Param hold the step; the pattern lies above them.
const stepBits = 6

// planRoutes lists the addresses that a plan has by itself.
func planRoutes(plan *patch.Plan) (list []Route) {
	add := func(e osc.Entry, op shm.Op, node, param int) {
		list = append(list, Route{Entry: e, command: shm.Command{Op: op, Node: uint16(node), Param: uint16(param)}})
	}
	nodeRoutes(plan, add)
	noteRoutes(plan, add)
	musicRoutes(plan, add)
	if n, p, ok := plan.Freq(); ok {
		e := paramEntry("", plan, n, p)
		e.Address = "/engine/freq"
		add(e, shm.OpSet, n, p)
	}
	if plan.SeqNode() > 0 {
		list = append(list, compatibilityRoutes()...)
	}
	return list
}

// nodeRoutes adds the parameters and gates of all nodes.
func nodeRoutes(plan *patch.Plan, add func(e osc.Entry, op shm.Op, node, param int)) {
	for n, node := range plan.Nodes() {
		base := "/mod/" + node.ID + "/"
		switch {
		case n == 0:
			base = "/" + patch.EngineNode + "/"
		case node.Pseudo():
			base = "/" + strings.ReplaceAll(node.ID, ".", "/") + "/"
		}
		for p := range node.Desc.Params {
			add(paramEntry(base, plan, n, p), shm.OpSet, n, p)
		}
		if node.Desc.Gated && node.Group == patch.NoGroup { // notes open the gates of voices
			add(osc.Entry{Address: "/gate/" + node.ID, Kind: osc.Gate, Doc: "opens or closes the gate"}, shm.OpGate, n, 0)
		}
	}
}

// noteRoutes adds the addresses of each group of voices.
func noteRoutes(plan *patch.Plan, add func(e osc.Entry, op shm.Op, node, param int)) {
	for g, v := range plan.Voices {
		n, base := plan.NoteNode(g), "/"+v.ID
		if v.ID != patch.NoteNode {
			base = "/note/" + v.ID
		}
		add(osc.Entry{
			Address: base + "/on", Kind: osc.Key, Max: 1, Default: 0.8, Doc: "begins a note, with a velocity",
		}, shm.OpNote, n, 0)
		add(osc.Entry{Address: base + "/off", Kind: osc.Key, All: true, Doc: "ends a note, or all notes"}, shm.OpNote, n, 0)
		add(osc.Entry{Address: base + "/pressure", Kind: osc.Key, Max: 1, Doc: "pressure on a note"}, shm.OpPressure, n, 0)
	}
}

// musicRoutes adds the addresses of the sequencer that are not parameters.
func musicRoutes(plan *patch.Plan, add func(e osc.Entry, op shm.Op, node, param int)) {
	n := plan.SeqNode()
	if n == 0 {
		return
	}
	add(osc.Entry{
		Address: "/seq/ramp", Kind: osc.List, Min: 0.1, Max: 2000, Least: 2, Most: 2,
		Doc: "moves the tempo to so many bpm in so many seconds",
	}, shm.OpRamp, n, 0)
	for k := range sequencer.Patterns {
		base := fmt.Sprintf("/pattern/%d/", k)
		list := func(name string, lo, hi float64, whole bool, op shm.Op, doc string) {
			add(osc.Entry{
				Address: base + name, Kind: osc.List, Min: lo, Max: hi, Whole: whole, Least: 1, Most: sequencer.MaxSteps, Doc: doc,
			}, op, n, k<<stepBits)
		}
		add(osc.Entry{
			Address: base + "steps", Kind: osc.Text, Most: 2 * sequencer.MaxSteps, Doc: "X an accent, x a hit, - a tie, . a rest",
		}, shm.OpSteps, n, k<<stepBits)
		list("notes", -127, 127, true, shm.OpStepNote, "added to the pattern's base, step by step; a shorter list repeats")
		list("gate", 0.05, 1, false, shm.OpStepGate, "part of a step that its note lasts; a shorter list repeats")
		list("chance", 0, 1, false, shm.OpChance, "probability that a step plays; a shorter list repeats")
	}
}

func paramEntry(base string, plan *patch.Plan, node, param int) osc.Entry {
	p := &plan.Nodes()[node].Desc.Params[param]
	lo, hi := p.Range(float64(plan.Rate))
	e := osc.Entry{Address: base + p.Name, Kind: osc.Number, Min: lo, Max: hi, Unit: p.Unit, Whole: p.Whole, Doc: p.Doc}
	if len(p.Names) > 0 {
		e.Kind, e.Names = osc.Name, p.Names
	}
	return e
}

// appendCommands appends what arguments mean for one of the plan's own addresses.
func (s *Space) appendCommands(to []shm.Command, entry int, args []osc.Arg) ([]shm.Command, error) {
	value, err := s.osc.Take(entry, args)
	if err != nil {
		return to, err
	}
	c := s.routes[entry].command
	c.Value = value.Number
	switch kind := s.routes[entry].Entry.Kind; {
	case kind == osc.Key:
		c.Param = uint16(value.Key)
	case kind == osc.Text:
		return appendSteps(to, c, value.Text)
	case c.Op == shm.OpRamp:
		if c.Value = value.List[0]; c.Value < minTempo || c.Value > maxTempo {
			return to, osc.Refuse(osc.CodeBadArgument, "tempo %.7g: want %d to %d bpm, and seconds", c.Value, minTempo, maxTempo)
		}
		c.Param = uint16(math.Round(value.List[1] * 10))
	case kind == osc.List: // all steps that a pattern can have: the sequencer ignores those beyond its end
		for i := range sequencer.MaxSteps {
			c.Value = value.List[i%len(value.List)]
			to = append(to, c)
			c.Param++
		}
		return to, nil
	}
	return append(to, c), nil
}

// appendSteps appends the commands that give a pattern the steps of a text.
func appendSteps(to []shm.Command, c shm.Command, text string) ([]shm.Command, error) {
	p, err := sequencer.ParsePattern(text)
	if err != nil {
		return to, osc.Refuse(osc.CodeBadArgument, "%v", err)
	}
	c.Value = float64(p.N)
	to = append(to, c)
	c.Op = shm.OpTrig
	for _, s := range p.Steps[:p.N] {
		c.Value = float64(s.Trig)
		to = append(to, c)
		c.Param++
	}
	return to, nil
}
