package frontend

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
)

const (
	referenceFile     = "../../../docs/osc.md"
	referenceTemplate = "testdata/osc.md.tmpl"
)

// docs/osc.md is generated from the addresses, by ./task docs.
func TestOSCReference(t *testing.T) {
	want := reference(t)
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(referenceFile); err != nil || string(b) != want {
		t.Errorf("docs/osc.md is not what the addresses say (%v): ./task docs makes it anew", err)
	}
}

// songPatch has voices and a track, unlike the default patch.
const songPatch = `version: 1
tempo: 120
voices: {count: 4, nodes: [{id: string1, type: pluck}]}
cables: [note.pitch > string1.pitch, string1 > out]
patterns: [{number: 0, steps: x...}]
tracks: [{id: bass, pattern: 0}]
`

func reference(t *testing.T) string {
	text, err := os.ReadFile(referenceTemplate)
	if err != nil {
		t.Fatal(err)
	}
	plain, song := routesOf(t, string(patch.Default())), routesOf(t, songPatch)
	var events strings.Builder
	for _, ev := range report.Kinds() {
		address, usage := EventUsage(ev)
		fmt.Fprintf(&events, "| `%s` | %s |\n", address, usage)
	}
	return strings.NewReplacer(
		"{{engine}}", table(plain, func(r *space.Route) bool { return begins(r, "/engine/") }),
		"{{params}}", table(plain, func(r *space.Route) bool { return begins(r, "/mod/", "/gate/") }),
		"{{notes}}", table(song, func(r *space.Route) bool { return begins(r, "/note/") }),
		"{{pattern}}", strconv.Itoa(sequencer.Patterns-1),
		"{{music}}", table(song, func(r *space.Route) bool { return r.Kind != space.PatchCommand && begins(r, "/seq/", "/pattern/0/") }),
		"{{patch}}", table(plain, func(r *space.Route) bool { return r.Kind == space.PatchCommand }),
		"{{queries}}", table(plain, func(r *space.Route) bool { return r.Kind == space.Query && !begins(r, "/engine/") }),
		"{{events}}", events.String(),
	).Replace(string(text))
}

func routesOf(t *testing.T, text string) (list []*space.Route) {
	t.Helper()
	s, err := space.New(planOf(t, text), Routes()...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Entries() {
		list = append(list, s.Route(i))
	}
	return list
}

func begins(r *space.Route, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(r.Address, p) })
}

// table returns the rows of the routes that keep selects.
func table(list []*space.Route, keep func(*space.Route) bool) string {
	var b strings.Builder
	for _, r := range list {
		if !keep(r) {
			continue
		}
		doc := r.Doc
		if r.RequiresToken {
			doc += "; requires the token"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Address, tableText(r.Expected()), tableText(doc))
	}
	return b.String()
}

// tableText escapes a text for a table.
func tableText(s string) string { return strings.NewReplacer("|", `\|`, "<", `\<`).Replace(s) }
