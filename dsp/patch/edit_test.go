package patch_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
)

func compiled(t *testing.T, text []byte) *patch.Plan {
	t.Helper()
	p, err := patch.Parse("test", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return plan
}

// plain returns a plan's music and voices without their places in the text.
func plain(p *patch.Plan) (m patch.Music, v []patch.Voices) {
	m = p.Music
	m.Patterns, m.Tracks = append([]patch.Pattern(nil), m.Patterns...), append([]patch.Track(nil), m.Tracks...)
	for i := range m.Patterns {
		m.Patterns[i].Pos = patch.Pos{}
	}
	for i := range m.Tracks {
		m.Tracks[i].Pos = patch.Pos{}
		m.Tracks[i].Lanes = nil
	}
	for _, g := range p.Voices {
		g.Pos = patch.Pos{}
		v = append(v, g)
	}
	return m, v
}

// Format writes the same patch, for every preset.
func TestFormat(t *testing.T) {
	texts := map[string][]byte{"default": patch.Default()}
	for _, name := range patch.Presets() {
		text, err := patch.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = text
	}
	for name, text := range texts {
		p, err := patch.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		once := p.Format()
		again, err := patch.Parse(name, once)
		if err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		if twice := again.Format(); string(twice) != string(once) {
			t.Fatalf("%s: formatted twice it is another text:\n%s\n%s", name, once, twice)
		}
		a, b := compiled(t, text), compiled(t, once)
		if a.Hash != b.Hash || a.Name != b.Name {
			t.Errorf("%s: another plan:\n%s", name, once)
		}
		for i := range a.Nodes() {
			if !reflect.DeepEqual(a.Nodes()[i].Values, b.Nodes()[i].Values) {
				t.Errorf("%s: node %s has other values", name, a.Nodes()[i].ID)
			}
		}
		am, av := plain(a)
		bm, bv := plain(b)
		if !reflect.DeepEqual(am, bm) || !reflect.DeepEqual(av, bv) {
			t.Errorf("%s: other music or voices:\n%s", name, once)
		}
	}
}

const edited = `version: 1
voices: {count: 2, nodes: [{id: osc, type: sine}, {id: env, type: adsr}]}
nodes: [{id: lp, type: biquad}, {id: echo, type: delay}]
cables: [note > osc.pitch > env > lp > echo > out, lp > out]
patterns: [{number: 0, steps: "x..."}]
tracks: [{id: melody, voices: note, pattern: 0, lanes: [lp.cutoff]}]
`

// edit applies an edit by the name of its OSC command.
func edit(p *patch.Patch, args []string) error {
	switch args[0] {
	case "create":
		return p.Create(args[1], args[2], args[3])
	case "delete":
		return p.Delete(args[1])
	case "connect":
		return p.Connect(args[1], args[2])
	case "disconnect":
		return p.Disconnect(args[1], args[2])
	case "set":
		return p.Set(args[1], args[2], 500, args[3], 48000)
	case "track":
		return p.CreateTrack(args[1], args[2])
	case "untrack":
		return p.DeleteTrack(args[1])
	case "config":
		return p.ConfigTrack(args[1], args[2], len(args[3]))
	}
	return p.Lane(args[1], len(args[2]), args[3])
}

func TestEdit(t *testing.T) {
	for _, tt := range []struct{ edits, wants, not string }{
		{"create fx chorus -; disconnect lp echo; connect lp fx; connect fx echo", "- lp > fx\n", "lp > echo"},
		{"create fx chorus note", `    - {id: "fx", type: "chorus"}`, ""},
		{"delete echo", "- note > osc.pitch > env > lp\n  - lp > out\n", "echo"},
		{"disconnect lp out", "- note > osc.pitch > env > lp > echo > out\n", "- lp > out"},
		{"disconnect note.pitch osc.pitch", "- osc > env > lp", "note > osc"},
		{"disconnect osc env; connect osc.out env.in", "- osc.out > env.in", ""},
		{"set lp cutoff -; set lp mode hp", `params: {cutoff: 500, mode: "hp"}`, ""},
		{"track more note; config more 1/8t xxx; lane more - lp.q; untrack melody", `- {id: "more", voices: "note", division: 1/8t, steps: 3, swing: 0.5, lanes: [lp.q]}`, "melody"},
		{"untrack melody; delete lp", "- echo > out", "lp"},
	} {
		p, err := patch.Parse("test", []byte(edited))
		if err != nil {
			t.Fatal(err)
		}
		was := p.Format()
		c := p.Clone()
		for e := range strings.SplitSeq(tt.edits, "; ") {
			args := strings.Fields(e)
			for i := range args {
				args[i] = strings.TrimPrefix(args[i], "-")
			}
			for len(args) < 4 {
				args = append(args, "")
			}
			if err := edit(c, args); err != nil {
				t.Errorf("%s: %v", e, err)
			}
		}
		got := string(c.Format())
		if !strings.Contains(got, tt.wants) || tt.not != "" && strings.Contains(got, tt.not) {
			t.Errorf("%s: %q is not there, or %q is:\n%s", tt.edits, tt.wants, tt.not, got)
		}
		compiled(t, []byte(got))
		if string(p.Format()) != string(was) {
			t.Errorf("%s: the patch that was cloned has changed", tt.edits)
		}
	}
}

func TestEditRefuses(t *testing.T) {
	for _, tt := range []struct{ edit, wants string }{
		{"create lp chorus -", `node "lp" exists already`},
		{"create note chorus -", `node "note" exists already`},
		{"create out chorus -", "reserved for the engine"},
		{"create Fx chorus -", "must be a lower-case letter"},
		{"create fx chorsu -", "did you mean chorus"},
		{"create fx chorus nots", "no voices"},
		{"delete fx", "no node"},
		{"delete lp", `node "lp": a lane of track "melody" sets it`},
		{"connect lp out", "already"},
		{"connect osc.out env", "already"},
		{"connect note env.pitch", "no input"},
		{"connect lp.out1 out", "no output"},
		{"connect out lp", "no node"},
		{"disconnect osc lp", "no cable"},
		{"set lp cutof -", "did you mean cutoff"},
		{"set lp cutoff loud", "must be a number"},
		{"set lp mode - ", "mode"},
		{"track melody note", "already"},
		{"config melody 1/7 x", "division"},
		{"lane melody xx lp.q", "the next is 1"},
		{"lane melody x lp.qq", "no parameter"},
	} {
		p, err := patch.Parse("test", []byte(edited))
		if err != nil {
			t.Fatal(err)
		}
		was := p.Format()
		args := strings.Fields(tt.edit)
		for i := range args {
			args[i] = strings.TrimPrefix(args[i], "-")
		}
		for len(args) < 4 {
			args = append(args, "")
		}
		if err := edit(p, args); err == nil || !strings.Contains(err.Error(), tt.wants) || strings.Contains(err.Error(), "0:0") {
			t.Errorf("%s: %v, want %q", tt.edit, err, tt.wants)
		}
		if string(p.Format()) != string(was) {
			t.Errorf("%s: refused, and yet the patch has changed", tt.edit)
		}
	}
	p, _ := patch.Parse("test", []byte(edited))
	if err := p.Delete("osc"); err != nil {
		t.Error(err)
	}
	if err := p.Delete("env"); err == nil {
		t.Error("the last node of a group was deleted")
	}
}
