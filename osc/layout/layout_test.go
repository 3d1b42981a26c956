package layout

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/osc"
)

func testEntries() []osc.Entry {
	return []osc.Entry{
		{Address: "/engine/amp", Max: 1},
		{Address: "/mod/f<1>/cutoff", Min: 10, Max: 20000, Unit: "Hz"},
		{Address: "/mod/f<1>/mode", Kind: osc.Name, Names: []string{"lp", "hp"}},
		{Address: "/mod/f<1>/taps", Min: 1, Max: 8, Whole: true},
		{Address: "/gate/e", Kind: osc.Gate},
		{Address: "/mod/e/attack", Min: 0.001, Max: 10},
		{Address: "/note/on", Kind: osc.Key, Max: 1, Default: 0.8},
		{Address: "/note/off", Kind: osc.Key, All: true},
		{Address: "/note/pads/on", Kind: osc.Key, Max: 1, Default: 0.8},
		{Address: "/seq/bass/mute", Kind: osc.Name, Names: []string{"off", "on"}},
		{Address: "/seq/bpm", Min: 20, Max: 400},
		{Address: "/pattern/0/steps", Kind: osc.Text, Most: 128},
		{Address: "/engine/status", Kind: osc.Query},
		{Address: "/patch/commit", Kind: osc.Words, RequiresToken: true},
	}
}

// The controls of a node are on one page, under its name. Other addresses are on none.
func TestPages(t *testing.T) {
	var got []string
	for _, p := range pagesOf(testEntries()) {
		line := p.name + ":"
		for _, c := range p.controls {
			line += " " + c.name
		}
		got = append(got, line)
	}
	want := "engine: amp; f<1>: cutoff mode taps; e: gate attack; note: keys; note pads: keys; seq bass: mute; seq: bpm"
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("%s, want %s", s, want)
	}
	for _, k := range Kinds() {
		if err := k.Write(io.Discard, nil); err == nil || !strings.Contains(err.Error(), "no address to control") {
			t.Errorf("%s of nothing: %v", k.Name, err)
		}
	}
}

func made(t *testing.T, name string) []byte {
	t.Helper()
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	var b bytes.Buffer
	if err := kinds[i].Write(&b, testEntries()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// toscNode has the parts of a node that the test reads.
type toscNode struct {
	Type       string `xml:"type,attr"`
	Properties []struct {
		Key   string `xml:"key"`
		Value struct {
			Text string `xml:",chardata"`
			X    int    `xml:"x"`
			Y    int    `xml:"y"`
			W    int    `xml:"w"`
			H    int    `xml:"h"`
		} `xml:"value"`
	} `xml:"properties>property"`
	Messages []struct {
		Path      string   `xml:"path>partial>value"`
		Receive   int      `xml:"receive"`
		Condition string   `xml:"triggers>trigger>condition"`
		Types     []string `xml:"arguments>partial>conversion"`
		Values    []string `xml:"arguments>partial>value"`
		Min       []string `xml:"arguments>partial>scaleMin"`
		Max       []string `xml:"arguments>partial>scaleMax"`
	} `xml:"messages>osc"`
	Children []toscNode `xml:"children>node"`
}

// walk visits a node and its children, which lie inside it.
func (n *toscNode) walk(t *testing.T, w, h int, visit func(*toscNode)) {
	visit(n)
	for _, p := range n.Properties {
		if v := p.Value; p.Key == "frame" {
			if v.X < 0 || v.Y < 0 || v.W <= 0 || v.H <= 0 || v.X+v.W > w || v.Y+v.H > h {
				t.Errorf("a %s at %d,%d, %d x %d, is not inside %d x %d", n.Type, v.X, v.Y, v.W, v.H, w, h)
			}
			w, h = v.W, v.H
		}
	}
	for i := range n.Children {
		n.Children[i].walk(t, w, h, visit)
	}
}

// A file of TouchOSC is deflated XML: a control for each address, with its range, that follows the
// messages it sends.
func TestTouchOSC(t *testing.T) {
	z, err := zlib.NewReader(bytes.NewReader(made(t, "touchosc")))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		XMLName xml.Name
		Nodes   []toscNode `xml:"node"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil || doc.XMLName.Local != "lexml" || len(doc.Nodes) != 1 {
		t.Fatalf("%v: %.200s", err, text)
	}
	var got []string
	kinds := map[string]int{}
	doc.Nodes[0].walk(t, wide, tall, func(n *toscNode) {
		kinds[n.Type]++
		for _, m := range n.Messages {
			got = append(got, fmt.Sprintf("%s %s %s%d%v%v%v%v", n.Type, m.Path, m.Condition, m.Receive, m.Types, m.Values, m.Min, m.Max))
		}
	})
	for _, want := range []string{
		"FADER /mod/f<1>/cutoff ANY1[FLOAT][x][10][20000]", "RADIO /mod/f<1>/mode ANY1[INTEGER][x][0][1]", "FADER /mod/f<1>/taps ANY1[INTEGER][x][1][8]",
		"BUTTON /gate/e ANY1[FLOAT][x][0][1]", "BUTTON /note/pads/on RISE0[INTEGER FLOAT][60 0.8][0 0][1 1]", "BUTTON /note/pads/off FALL0[INTEGER][60][0][1]",
		"BUTTON /notify RISE0[INTEGER][2][0][1]", "BUTTON /notify/resync RISE0[][][][]",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	if kinds["PAGER"] != 1 || kinds["GROUP"] != 8 || kinds["FADER"] != 5 || kinds["RADIO"] != 2 || kinds["LABEL"] != 8 {
		t.Errorf("%v", kinds)
	}
}

// However many controls a node has, they are on its page, one beside the other.
func TestTouchOSCManyControls(t *testing.T) {
	var entries []osc.Entry
	for i := range 40 {
		entries = append(entries, osc.Entry{Address: fmt.Sprint("/mod/x/p", i), Max: 1})
	}
	var b bytes.Buffer
	if err := Kinds()[0].Write(&b, entries); err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Nodes []toscNode `xml:"node"`
	}
	if err := xml.NewDecoder(z).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	faders := 0
	doc.Nodes[0].walk(t, wide, tall, func(n *toscNode) {
		if n.Type == "FADER" {
			faders++
		}
	})
	if faders != 40 {
		t.Errorf("%d faders", faders)
	}
}

// A session of Open Stage Control is JSON: a widget for each address, with its range, names as
// texts.
func TestOpenStageControl(t *testing.T) {
	var s struct {
		Type    string
		Content widget
	}
	if err := json.Unmarshal(made(t, "open-stage-control"), &s); err != nil || s.Type != "session" || s.Content.Type != "root" {
		t.Fatalf("%v, %+v", err, s)
	}
	ids, by := map[string]bool{}, map[string]widget{}
	for _, tab := range s.Content.Tabs {
		for _, w := range append(tab.Widgets, tab) {
			if ids[w.ID] {
				t.Errorf("two are called %s", w.ID)
			}
			ids[w.ID] = true
			if w.Address != "" {
				by[w.Address] = w
			}
		}
	}
	if w := by["/mod/f<1>/cutoff"]; w.Type != "fader" || w.Range["min"] != 10 || w.Range["max"] != 20000 || !w.LogScale || w.TypeTags != "f" || *w.Decimals != 4 {
		t.Errorf("%+v", w)
	}
	if w := by["/mod/f<1>/taps"]; w.LogScale || w.TypeTags != "i" || *w.Decimals != 0 {
		t.Errorf("%+v", w)
	}
	if w := by["/mod/f<1>/mode"]; w.Type != "switch" || strings.Join(w.Values, " ") != "lp hp" || w.TypeTags != "s" {
		t.Errorf("%+v", w)
	}
	if w := by["/gate/e"]; w.Type != "button" || w.Mode != "push" || w.On != 1 {
		t.Errorf("%+v", w)
	}
	if len(by) != 8 || len(s.Content.Tabs) != 7 || len(s.Content.Tabs[3].Widgets) != 14 ||
		!strings.Contains(s.Content.Tabs[4].Widgets[0].OnValue, "send('/note/pads/on', 60, {type: 'f', value: 0.8}); else send('/note/pads/off', 60)") {
		t.Errorf("%d addresses, %d tabs", len(by), len(s.Content.Tabs))
	}
}
