package patch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
)

// roundTrip checks that Parse reads what Format writes as the same patch.
func roundTrip(t *testing.T, what string, p *patch.Patch) {
	t.Helper()
	text := p.Format()
	q, err := patch.Parse("x", text)
	if err != nil {
		t.Errorf("%s: %v\n%s", what, err, text)
		return
	}
	again := q.Format()
	if string(again) != string(text) {
		t.Errorf("%s: formats differ\n%s\n---\n%s", what, text, again)
	}
	a, e1 := patch.Compile(p, 48000, 64, 2)
	b, e2 := patch.Compile(q, 48000, 64, 2)
	if (e1 == nil) != (e2 == nil) {
		t.Errorf("%s: %v / %v\n%s", what, e1, e2, text)
		return
	}
	if e1 == nil {
		var x, y []string
		for _, n := range a.Nodes() {
			x = append(x, fmt.Sprint(n.ID, n.Values))
		}
		for _, n := range b.Nodes() {
			y = append(y, fmt.Sprint(n.ID, n.Values))
		}
		if len(x) != len(y) {
			t.Errorf("%s: nodes", what)
		}
	}
}

// Format quotes ids with a meaning in YAML and names with unusual characters, so that Parse reads
// them back.
func TestFormatOddIDs(t *testing.T) {
	for _, id := range []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan", "e1", "x0", "a_", "o", "note", "seq", "freq", "id", "type", "version", "infinity"} {
		p, err := patch.Parse("x", patch.Default())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Create(id, "sine", ""); err != nil {
			t.Logf("create %s: %v", id, err)
			continue
		}
		if err := p.Connect(id, "out"); err != nil {
			t.Errorf("connect %s: %v", id, err)
		}
		roundTrip(t, "node "+id, p)
		if err := p.CreateTrack(id, ""); err != nil {
			t.Logf("track %s: %v", id, err)
			continue
		}
		if err := p.Lane(id, 0, id+".freq"); err != nil {
			t.Log(err)
		}
		roundTrip(t, "track "+id, p)
	}
	for _, name := range []string{"a\x7fb", "tab\there", "\u2028x", "é", "quote\"'", "back\\slash", "#x: y", "\U0001F600", "nul\x00", "\u0085", "{{", "\ufeff", "\u200b"} {
		p, _ := patch.Parse("x", patch.Default())
		p.Name = name
		text := p.Format()
		q, err := patch.Parse("x", text)
		if err != nil || q.Name != name {
			t.Errorf("name %q: %v, got %v", name, err, q)
		}
	}
}

// Such ids may also come from a file.
func TestFormatIDsOfFiles(t *testing.T) {
	for _, id := range []string{`"null"`, `"true"`, `"no"`} {
		text := "version: 1\nnodes:\n  - {id: " + id + ", type: sine}\ncables: [" + strings.Trim(id, `"`) + " > out]\n"
		p, err := patch.Parse("x", []byte(text))
		if err != nil {
			t.Logf("%s: %v", id, err)
			continue
		}
		roundTrip(t, "text "+id, p)
	}
}
