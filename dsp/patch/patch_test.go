package patch_test

import (
	"os"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
)

func compile(text string) (*patch.Plan, error) {
	p, err := patch.Parse("p", []byte(text))
	if err != nil {
		return nil, err
	}
	return patch.Compile(p, 48000, 64, 2)
}

func TestDefault(t *testing.T) {
	plan, err := compile(string(patch.Default()))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, n := range plan.Nodes() {
		ids = append(ids, n.ID)
	}
	if got := strings.Join(ids, " "); got != "engine sine1 adsr1 filter1" {
		t.Errorf("nodes %s", got)
	}
	if n, p, ok := plan.Freq(); !ok || n != 1 || plan.Nodes()[n].Desc.Params[p].Name != "freq" {
		t.Errorf("freq is %d, %d, %t", n, p, ok)
	}
	n, p, err := plan.Lookup("filter1", "mode")
	if err != nil || n != 3 || p != 0 {
		t.Errorf("filter1.mode is %d, %d, %v", n, p, err)
	}
}

// Every error names the line and column, and what would be right.
func TestErrors(t *testing.T) {
	const nodes = "version: 1\nnodes:\n  - {id: a, type: sine}\n  - {id: b, type: adsr}\n  - {id: c, type: biquad}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"not YAML", "version: [1\n", "p:1:10: not YAML: "},
		{"empty", "", "no YAML document"},
		{"no version", "name: x\n", "version is missing"},
		{"another version", "version: 2\n", "p:1:10: version must be 1"},
		{"unknown key", "version: 1\nnode: []\n", `p:2:1: a patch has no key "node"; did you mean nodes?`},
		{"key twice", "version: 1\nname: a\nname: b\n", "p:"},
		{"nodes no list", "version: 1\nnodes: 3\n", "p:2:8: nodes must be a list"},
		{"no type", "version: 1\nnodes:\n  - {id: a}\n", "needs both id and type"},
		{"unknown type", "version: 1\nnodes:\n  - {id: a, type: sin}\n", `p:3:10: node "a": no module of type "sin"; did you mean sine? there are `},
		{"bad id", "version: 1\nnodes:\n  - {id: A-b, type: sine}\n", `p:3:10: id "A-b": must be a lower-case letter`},
		{"engine's id", "version: 1\nnodes:\n  - {id: out, type: sine}\n", "reserved for the engine"},
		{"id twice", "version: 1\nnodes:\n  - {id: a, type: sine}\n  - {id: a, type: sine}\n", `p:4:10: node "a": another node has this id`},
		{"unknown parameter", "version: 1\nnodes:\n  - {id: a, type: sine, params: {frq: 1}}\n", `p:3:34: node "a" (sine) has no parameter "frq"; did you mean freq?`},
		{"out of range", "version: 1\nnodes:\n  - {id: a, type: sine, params: {freq: 99999}}\n", "freq is 99999, it must be 0 to 24000 Hz"},
		{"no number", "version: 1\nnodes:\n  - {id: a, type: sine, params: {freq: low}}\n", `freq is the word "low"; it must be a number, 0 to 24000 Hz`},
		{"NaN", "version: 1\nnodes:\n  - {id: a, type: sine, params: {freq: .nan}}\n", "freq must be a word"},
		{"no such name", "version: 1\nnodes:\n  - {id: a, type: biquad, params: {mode: spectral}}\n", `mode is "spectral"; it must be lp, hp, bp`},
		{"nothing heard", nodes + "cables: [a > b]\n", "no cable ends at out; add one: node > out"},
		{"cable from nowhere", nodes + "cables: [x > out]\n", `p:6:10: cable from "x": no such node; there are a, b, c`},
		{"cable to nowhere", nodes + "cables: [a > d]\n", `cable to "d": no such node`},
		{"half a cable", nodes + "cables: [a]\n", "write a > b"},
		{"cable twice", nodes + "cables: [a > out, a > out]\n", "cable a > out: connected already"},
		{"into the note", "version: 1\nvoices: {count: 1, nodes: [{id: a, type: sine}]}\ncables: [a > note]\n", "cable to note: a note has no input"},
		{"round", nodes + "cables: [b > c > b, c > out]\n", "the cables form a cycle: b > c > b"},
		{"no such input", nodes + "cables: [a > b > c.cutof > out]\n", `node "c" (biquad) has no input "cutof"; `},
		{"no such output", nodes + "cables: [a.in > b, b > out]\n", `node "a" (sine) has no output "in"; there is out`},
		{"into an output", nodes + "cables: [a > b.out, b > out]\n", `cable to b.out: out is an output of node "b" (adsr); end the cable at an input; there is in`},
		{"a side of out", nodes + "cables: [a > out.left]\n", "out has no ports"},
		{"round through itself", nodes + "cables: [b > c > b, c > out]\n", "put a node of type back into it"},
		{"note without voices", nodes + "cables: [note > a, a > out]\n", `cable from "note": no such node`},
		{"no count", "version: 1\nvoices: {nodes: [{id: a, type: sine}]}\n", `p:2:9: voices "note": count is missing`},
		{"no voice", "version: 1\nvoices: {count: 0, nodes: [{id: a, type: sine}]}\n", "count must be a whole number from 1 to 256"},
		{"no nodes", "version: 1\nvoices: {count: 2}\n", `voices "note": nodes are missing`},
		{"no such way to steal", "version: 1\nvoices: {count: 2, steal: loudest, nodes: []}\n", `steal is "loudest"; did you mean oldest? there are oldest, quietest, same`},
		{"more unison than voices", "version: 1\nvoices: {count: 2, unison: 3, nodes: [{id: a, type: sine}]}\n", "unison is 3; it must not exceed count, 2"},
		{"back in a voice", "version: 1\nvoices: {count: 2, nodes: [{id: a, type: back}]}\n", "a back cannot be in a voice"},
		{"note's id", "version: 1\nvoices: {count: 1, nodes: [{id: note, type: sine}]}\n", `node "note": another node has this id`},
		{"group twice", "version: 1\nvoices: [{count: 1, nodes: [{id: a, type: sine}]}, {count: 1, nodes: [{id: b, type: sine}]}]\n", `voices "note": another group has this id`},
		{"from group to group", "version: 1\nvoices: [{id: x, count: 1, nodes: [{id: a, type: sine}]}, {id: y, count: 1, nodes: [{id: b, type: adsr}]}]\ncables: [a > b > out]\n", "cable a > b: the nodes are in different groups of voices"},
		{"many voices", "version: 1\nvoices: [{id: x, count: 200, nodes: [{id: a, type: sine}]}, {id: y, count: 57, nodes: [{id: b, type: adsr}]}]\n", `voices "y": with them the patch has 257 voices; the maximum is 256`},
		{"no such step", "version: 1\npatterns: [{number: 0, steps: \"x.q.\"}]\n", "p:2:31: step 3 is 'q'"},
		{"no steps", "version: 1\npatterns: [{number: 0}]\n", "a pattern needs steps"},
		{"no such pattern", "version: 1\npatterns: [{number: 128, steps: x}]\n", "number must be a whole number from 0 to 127"},
		{"a velocity alone", "version: 1\npatterns: [{number: 0, steps: x, velocity: [1]}]\n", "velocity must be a list of two, for x and for X"},
		{"no chance", "version: 1\npatterns: [{number: 0, steps: x, chance: 2}]\n", "chance must be a number from 0 to 1"},
		{"no values", "version: 1\npatterns: [{number: 0, steps: x, notes: []}]\n", "notes has 0 values; it must have 1 to 64"},
		{"nobody plays it", nodes + "cables: [a > out]\npatterns: [{number: 0, steps: x}]\n", "pattern 0: no track can play it"},
		{"pattern twice", nodes + "cables: [a > out]\npatterns: [{number: 0, steps: x}, {number: 0, steps: x}]\ntracks: [{id: t}]\n", "p:7:35: pattern 0: another pattern has this number"},
		{"track twice", nodes + "cables: [a > out]\ntracks: [{id: t}, {id: t}]\n", `track "t": another track has this id`},
		{"no such voices", nodes + "cables: [a > out]\ntracks: [{id: t, voices: v}]\n", `track "t": no voices "v"`},
		{"no such lane", nodes + "cables: [a > out]\ntracks: [{id: t, lanes: [a.pitch]}]\n", `track "t": node "a" (sine) has no parameter "pitch"`},
		{"no such division", nodes + "cables: [a > out]\ntracks: [{id: t, division: 1/5}]\n", `division "1/5"; `},
		{"more than a bar", "version: 1\nbar: 4/4/9\n", `bar is "4/4/9"`},
		{"no such bar", "version: 1\nbar: 4/5\n", `bar is "4/5"; it must be a count of 1 to 32`},
		{"too slow", "version: 1\ntempo: 5\n", "tempo must be a number from 20 to 400"},
		{"freq of nothing", nodes + "cables: [a > out]\nfreq: a.pitch\n", `p:7:7: freq: node "a" (sine) has no parameter "pitch"`},
		{"freq malformed", nodes + "cables: [a > out]\nfreq: a\n", "write node.param"},
	} {
		_, err := compile(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestLimits(t *testing.T) {
	if _, err := patch.Parse("p", make([]byte, patch.MaxText+1)); err == nil {
		t.Error("a text that is too long")
	}
	many := "version: 1\nnodes:\n" + strings.Repeat("  - {id: a, type: sine}\n", patch.MaxNodes+1)
	if _, err := patch.Parse("p", []byte(many)); err == nil || !strings.Contains(err.Error(), "the maximum is 256") {
		t.Errorf("%v", err)
	}
}

// Nodes are rendered after the nodes that they hear, whatever their order in the text.
func TestOrder(t *testing.T) {
	plan, err := compile("version: 1\nnodes:\n  - {id: z, type: biquad}\n  - {id: y, type: adsr}\n  - {id: x, type: sine}\ncables: [x > y > z > out, x > z]\n")
	if err != nil {
		t.Fatal(err)
	}
	place := map[int]int{}
	for i, n := range plan.Order() {
		place[n] = i
	}
	for n, node := range plan.Nodes() {
		for _, in := range node.Inputs {
			for _, from := range in {
				if place[from.Node] >= place[n] {
					t.Errorf("%s is rendered before %s", node.ID, plan.Nodes()[from.Node].ID)
				}
			}
		}
	}
}

// Parse and Compile return for any text. A patch that compiles is the same after Format.
func FuzzParse(f *testing.F) {
	f.Add(string(patch.Default()))
	if more, err := os.ReadFile("default.yaml"); err == nil {
		f.Add(string(more))
	}
	for _, name := range []string{"keys/epiano", "songs/acid", "bass/acid"} {
		if text, err := patch.Preset(name); err == nil {
			f.Add(string(text))
		}
	}
	for _, s := range []string{"", "version: 1", "{", "- - -", "a: &x [*x]", "version: 1\nnodes: [{id: a, type: sine, params: {freq: 1e999}}]", "? a\n: b", "\x00", "<<: *a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := patch.Parse("p", []byte(text))
		if err != nil {
			return
		}
		plan, err := patch.Compile(p, 48000, 64, 2)
		if err == nil && (len(plan.Order())+len(plan.Music.Tracks)+min(1, len(plan.Music.Tracks)) != len(plan.Nodes())-1 || len(plan.Outs()) == 0) {
			t.Fatal("a plan that lacks nodes, or is not heard")
		}
		if err != nil {
			return
		}
		again, err := patch.Parse("p", p.Format())
		if err != nil {
			t.Fatalf("%v\n%s", err, p.Format())
		}
		same, err := patch.Compile(again, 48000, 64, 2)
		if err != nil || same.Hash != plan.Hash {
			t.Fatalf("formatted it is another patch: %v\n%s", err, p.Format())
		}
	})
}

// Numbers may have an exponent.
func TestExponent(t *testing.T) {
	plan, err := compile("version: 1\nnodes: [{id: a, type: biquad, params: {cutoff: 1e3}}, {id: b, type: sine, params: {gain: 5e-1}}]\ncables: [b > a > out]\n")
	if err != nil {
		t.Fatal(err)
	}
	if v := plan.Nodes()[1].Values[1]; v != 1000 {
		t.Errorf("cutoff %g", v)
	}
}
