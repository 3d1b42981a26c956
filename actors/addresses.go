package actors

import (
	"fmt"
	"math"
	"strings"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

// Addresses are the OSC addresses of a plan: /mod/<id>/<param>, /gate/<id>, /engine/amp and the like,
// /engine/freq, /engine/status, /seq and /pattern of music, and for voices /note/on, /note/off and /note/pressure, with the id of a group that has one before the last.
type Addresses struct {
	space    *osc.Space
	commands []shm.Command // by entry, without Seq and Value; Op 0: a query, or a verb
	verbs    []*verb       // by entry; nil: it is none
	aliases  []*alias      // likewise
	asks     []*inquiry    // likewise
	plan     *patch.Plan
}

// NewAddresses lists the addresses of a plan.
func NewAddresses(plan *patch.Plan) (*Addresses, error) {
	a := &Addresses{plan: plan}
	var entries []osc.Entry
	add := func(e osc.Entry, op shm.Op, node, param int) {
		entries = append(entries, e)
		a.commands = append(a.commands, shm.Command{Op: op, Node: uint16(node), Param: uint16(param)})
		a.verbs, a.aliases, a.asks = append(a.verbs, nil), append(a.aliases, nil), append(a.asks, nil)
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
	music(plan, add)
	if n, p, ok := plan.Freq(); ok {
		e := paramEntry("", plan, n, p)
		e.Address = "/engine/freq"
		add(e, shm.OpSet, n, p)
	}
	add(osc.Entry{Address: "/engine/status", Kind: osc.Query, Doc: "answers what plays"}, 0, 0, 0)
	for i := range aliases {
		if plan.SeqNode() > 0 {
			add(aliases[i].entry(), 0, 0, 0)
			a.aliases[len(entries)-1] = &aliases[i]
		}
	}
	for i := range verbs {
		add(verbs[i].entry(), 0, 0, 0)
		a.verbs[len(entries)-1] = &verbs[i]
	}
	asks := inquiries()
	for i := range asks {
		add(asks[i].entry(), 0, 0, 0)
		a.asks[len(entries)-1] = &asks[i]
	}
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

// Entries lists the addresses. The slice is for reading only.
func (a *Addresses) Entries() []osc.Entry { return a.space.Entries() }

// Found is what a message's address names.
type Found struct {
	Address string // the message's; "": it is a pattern
	Guarded bool   // from another machine it takes a token
	Matched int    // of a pattern: the addresses that take what the message has
	verb    *verb  // nil: it is none
	words   []any  // of a verb
	inquiry *inquiry
}

// Resolve turns a message into commands, without Seqs. There are none where the address only asks.
func (a *Addresses) Resolve(m *osc.Message) (commands []shm.Command, err error) {
	var p osc.Patterns
	p.Reset()
	commands, _, err = a.Append(nil, m, &p)
	return commands, err
}

// Append is Resolve into a slice that there is, for many messages: for a number it allocates nothing. A pattern's commands are those of
// all addresses that it matches and that take what the message has; if none does, the first says why.
func (a *Addresses) Append(to []shm.Command, m *osc.Message, p *osc.Patterns) (commands []shm.Command, found Found, err error) {
	if !osc.IsPattern(m.Address) {
		entry, err := a.space.Find(m.Address)
		if err != nil {
			return to, found, err
		}
		e := &a.space.Entries()[entry]
		found.Address, found.Guarded = e.Address, e.RequiresToken
		if found.inquiry = a.asks[entry]; found.inquiry != nil {
			return to, found, found.inquiry.check(m)
		}
		if found.verb = a.verbs[entry]; found.verb != nil {
			value, err := a.space.Take(entry, m.Args)
			found.words = value.Words
			return to, found, err
		}
		to, err = a.one(to, entry, m.Args)
		return to, found, err
	}
	entries, err := p.Match(a.space, m.Address)
	if err != nil {
		return to, found, err
	}
	for _, entry := range entries {
		var refused error
		if to, refused = a.one(to, entry, m.Args); refused == nil {
			found.Matched++
		} else if err == nil {
			err = fmt.Errorf("%s: %w", a.space.Entries()[entry].Address, refused)
		}
	}
	if found.Matched > 0 {
		err = nil
	}
	return to, found, err
}

// one appends what arguments mean for one entry.
func (a *Addresses) one(to []shm.Command, entry int, args []osc.Arg) ([]shm.Command, error) {
	value, err := a.space.Take(entry, args)
	if err != nil {
		return to, err
	}
	if x := a.aliases[entry]; x != nil {
		commands, err := x.resolve(a.plan, value.Words)
		return append(to, commands...), err
	}
	c := a.commands[entry]
	c.Value = value.Number
	switch kind := a.space.Entries()[entry].Kind; {
	case c.Op == 0:
		return to, nil
	case kind == osc.Key:
		c.Param = uint16(value.Key)
	case kind == osc.Text:
		return steps(to, c, value.Text)
	case c.Op == shm.OpRamp:
		if c.Value = value.List[0]; c.Value < 20 || c.Value > 400 {
			return to, fmt.Errorf("%.7g is no tempo: it takes 20 to 400 bpm, and seconds", c.Value)
		}
		c.Param = uint16(math.Round(value.List[1] * 10))
	case kind == osc.List: // for as many steps as there can be: those beyond a pattern's end are ignored
		for i := range sequencer.MaxSteps {
			c.Value = value.List[i%len(value.List)]
			to = append(to, c)
			c.Param++
		}
		return to, nil
	}
	return append(to, c), nil
}

// steps appends the commands that give a pattern the steps of a text.
func steps(to []shm.Command, c shm.Command, text string) ([]shm.Command, error) {
	p, err := sequencer.ParsePattern(text)
	if err != nil {
		return to, err
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

// music lists the addresses of the sequencer besides its parameters.
func music(plan *patch.Plan, add func(e osc.Entry, op shm.Op, node, param int)) {
	n := plan.SeqNode()
	if n == 0 {
		return
	}
	add(osc.Entry{Address: "/seq/ramp", Kind: osc.List, Min: 0.1, Max: 2000, Least: 2, Most: 2, Doc: "moves the tempo to so many bpm in so many seconds"}, shm.OpRamp, n, 0)
	for k := range sequencer.Patterns {
		base := fmt.Sprintf("/pattern/%d/", k)
		list := func(name string, lo, hi float64, whole bool, op shm.Op, doc string) {
			add(osc.Entry{Address: base + name, Kind: osc.List, Min: lo, Max: hi, Whole: whole, Least: 1, Most: sequencer.MaxSteps, Doc: doc}, op, n, k<<6)
		}
		add(osc.Entry{Address: base + "steps", Kind: osc.Text, Most: 2 * sequencer.MaxSteps, Doc: "X an accent, x a hit, - a tie, . a rest"}, shm.OpSteps, n, k<<6)
		list("notes", -127, 127, true, shm.OpStepNote, "of the steps, added to the pattern's base; gone round")
		list("gate", 0.05, 1, false, shm.OpStepGate, "how much of a step a note lasts; gone round")
		list("chance", 0, 1, false, shm.OpChance, "how likely a note comes; gone round")
	}
}
