package actors

import (
	"fmt"
	"strings"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

// Addresses are the OSC addresses of a plan: /mod/<id>/<param>, /gate/<id>, /engine/amp and the like,
// /engine/freq, /engine/status, and for voices /note/on, /note/off and /note/pressure, with the id of a group that has one before the last.
type Addresses struct {
	space    *osc.Space
	commands []shm.Command // by entry, without Seq and Value; Op 0: a query
}

// NewAddresses lists the addresses of a plan.
func NewAddresses(plan *patch.Plan) (*Addresses, error) {
	a := &Addresses{}
	var entries []osc.Entry
	add := func(e osc.Entry, op shm.Op, node, param int) {
		entries = append(entries, e)
		a.commands = append(a.commands, shm.Command{Op: op, Node: uint16(node), Param: uint16(param)})
	}
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
	for g, v := range plan.Voices {
		n, base := plan.NoteNode(g), "/"+v.ID
		if v.ID != patch.NoteNode {
			base = "/note/" + v.ID
		}
		add(osc.Entry{Address: base + "/on", Kind: osc.Key, Max: 1, Default: 0.8, Doc: "begins a note, with a velocity"}, shm.OpNote, n, 0)
		add(osc.Entry{Address: base + "/off", Kind: osc.Key, All: true, Doc: "ends a note, or all notes"}, shm.OpNote, n, 0)
		add(osc.Entry{Address: base + "/pressure", Kind: osc.Key, Max: 1, Doc: "pressure on a note"}, shm.OpPressure, n, 0)
	}
	if n, p, ok := plan.Freq(); ok {
		e := paramEntry("", plan, n, p)
		e.Address = "/engine/freq"
		add(e, shm.OpSet, n, p)
	}
	add(osc.Entry{Address: "/engine/status", Kind: osc.Query, Doc: "answers what plays"}, 0, 0, 0)
	space, err := osc.NewSpace(entries)
	if err != nil {
		return nil, fmt.Errorf("patch %s: %w", plan.Name, err)
	}
	a.space = space
	return a, nil
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

// Resolve turns a message into a command, without a Seq. query is true, and the command empty, where the address only asks.
func (a *Addresses) Resolve(m *osc.Message) (c shm.Command, query bool, err error) {
	entry, value, err := a.space.Resolve(m)
	if err != nil {
		return shm.Command{}, false, err
	}
	c = a.commands[entry]
	c.Value = value.Number
	if a.space.Entries()[entry].Kind == osc.Key {
		c.Param = uint16(value.Key)
	}
	return c, c.Op == 0, nil
}
