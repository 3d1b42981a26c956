package midi

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const goodMap = `# my keyboard
version: 1
bend: 12
controllers:
  # the first knob
  - {channel: 1, controller: 74, address: /mod/filter1/cutoff, curve: exp}
  - controller: 71
    address: /mod/filter1/q
    min: 0.5
    max: 1e1
programs:
  - {channel: 16, program: 0, address: /seq/low/pattern, value: 2}
  - {program: 127, address: /seq/play, value: start}
`

func TestParseMap(t *testing.T) {
	m, err := ParseMap("m", []byte(goodMap))
	if err != nil {
		t.Fatal(err)
	}
	want := Map{
		File: "m", Bend: 12, list: list{true, true, Pos{Line: 6, Column: 3}},
		Controllers: []Binding{
			{Pos: Pos{Line: 6, Column: 30}, Channel: 1, Controller: 74, Address: "/mod/filter1/cutoff", Curve: CurveExp},
			{Pos: Pos{Line: 7, Column: 17}, Controller: 71, Address: "/mod/filter1/q", Ranged: true, Min: 0.5, Max: 10},
		},
		Programs: []Program{
			{Pos: Pos{Line: 12, Column: 5}, Channel: 16, Address: "/seq/low/pattern", Args: []any{float32(2)}},
			{Pos: Pos{Line: 13, Column: 5}, Program: 127, Address: "/seq/play", Args: []any{"start"}},
		},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("%+v\nwant %+v", m, want)
	}
	for _, empty := range []string{"", "\n \n"} {
		if m, err := ParseMap("m", []byte(empty)); err != nil || len(m.Controllers) != 0 {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

func TestMapErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a: 1", `map m:1:1: a map has no key "a"; there are version, bend, controllers, programs`},
		{"bend: 2", "map m:1:5: missing version: the first line must be version: 1"},
		{"version: 2", "map m:1:10: version must be 1"},
		{"version: 1\nversion: 1", "m:2:1"},
		{"- 1", "map m:1:1: a map must be a mapping with the keys version"},
		{"version: 1\nbend: 25", "map m:2:7: bend must be a number from 0 to 24"},
		{"version: 1\nbend: two", "map m:2:7: bend must be a number from 0 to 24"},
		{"version: 1\ncontrollers: 5", "map m:2:14: controllers must be a list"},
		{"version: 1\ncontrollers: [5]", "map m:2:15: a controller must be a mapping with the keys channel"},
		{"version: 1\ncontrollers: [{controller: 1}]", "map m:2:15: a controller needs controller (its number) and address"},
		{"version: 1\ncontrollers:\n  - {controller: 120, address: /x}", "map m:3:18: controller must be a whole number from 0 to 119"},
		{"version: 1\ncontrollers:\n  - {controller: 1.5, address: /x}", "map m:3:18: controller must be a whole number"},
		{"version: 1\ncontrollers:\n  - {controller: 1, channel: 0, address: /x}", "map m:3:30: channel must be a whole number from 1 to 16"},
		{"version: 1\ncontrollers:\n  - {controller: 1, address: x}", "map m:3:30: address \"x\": must begin with /"},
		{"version: 1\ncontrollers:\n  - {controller: 1, address: /x*}", "map m:3:30: address /x*: OSC reserves '*'"},
		{"version: 1\ncontrollers:\n  - {controller: 1, address: 5}", "map m:3:30: address must be a word"},
		{"version: 1\ncontrollers:\n  - {controller: 1, address: /x, min: 1}", "min and max must both be given, or neither"},
		{"version: 1\ncontrollers:\n  - {controller: 1, address: /x, min: 0, max: 1, curve: exp}", "curve exp needs min and max above 0"},
		{"version: 1\ncontrollers:\n  - {controller: 1, address: /x, curve: log}", `map m:3:41: curve is "log"; it must be lin or exp`},
		{"version: 1\ncontrollers:\n  - {controller: 1, address: /x, curve: \"\"}", `map m:3:41: curve is ""; it must be lin or exp`},
		{"version: 1\ncontrollers:\n  - {controller: 1, address: /x}\n  - {controller: 1, address: /x}", "map m:4:5: controller 1 moves /x already, in line 3"},
		{"version: 1\nprograms:\n  - {program: 128, address: /x}", "map m:3:15: program must be a whole number from 0 to 127"},
		{"version: 1\nprograms:\n  - {address: /x}", "a program needs program (its number from 0) and address"},
		{"version: 1\nprograms:\n  - {program: 1, address: /x, value: [1]}", "value must be a word"},
		{"version: [", "map m:"},
		{strings.Repeat("[", 100), "brackets are nested too deep"},
		{strings.Repeat("a", MaxMapText+1), "bytes; the maximum is"},
	} {
		_, err := ParseMap("m", []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q: %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

// Bindings that an engine cannot have are errors, and left out; the others work.
func TestBind(t *testing.T) {
	a := testAddresses(t)
	for _, tt := range []struct {
		line string
		a    *Addresses
		want string
	}{
		{"address: /mod/filter1/cutoff", a, ""},
		{"address: /mod/filter1/cutoff", nil, "map m:3:18: /mod/filter1/cutoff: no min and max, and no engine to ask for them"},
		{"address: /mod/filter1/cutof", a, "map m:3:18: /mod/filter1/cutof: unknown"},
		{"address: /mod/filter1/cutoff, min: 10, max: 100", a, "/mod/filter1/cutoff: min 10 and max 100: outside its range, 20 to 20000"},
		{"address: /mod/filter1/mode, min: 1, max: 3", a, "outside its range, 0 to 2"},
		{"address: /seq/low/pattern, curve: exp", a, "curve exp needs min and max above 0; got -1 and 127"},
		{"address: /gate/adsr1, min: 0, max: 1", a, "/gate/adsr1: a gate"},
		{"address: /engine/status", a, "not a single number"},
		{"address: /note/bass/on", a, "not a single number"},
	} {
		m, err := ParseMap("m", []byte("version: 1\ncontrollers:\n  - {controller: 7, "+tt.line+"}\n  - {controller: 8, address: /gate/adsr1}"))
		if err != nil {
			t.Fatal(err)
		}
		tr := NewTranslator(Options{}, func(Request) {})
		wrong := tr.Bind(m, tt.a)
		if tt.a == nil {
			wrong = wrong[:1] // the gate has no range
		} else if want := map[bool]int{true: 2, false: 1}[tt.want == ""]; len(tr.controllers) != want {
			t.Errorf("%s: %d lines count", tt.line, len(tr.controllers))
		}
		if err := errors.Join(wrong...); tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %s", tt.line, err, tt.want)
		}
	}
}

// AddBinding adds a line to maps of any form, and changes nothing else.
func TestAddBinding(t *testing.T) {
	b := Binding{Channel: 2, Controller: 20, Address: "/x", Ranged: true, Min: -1, Max: 0.5, Curve: CurveLin}
	const line = "- {channel: 2, controller: 20, address: /x, min: -1, max: 0.5, curve: lin}\n"
	for _, tt := range []struct{ name, before, after, err string }{
		{"none", "", "# What the controllers of a MIDI input move.\nversion: 1\ncontrollers:\n  " + line, ""},
		{"no list", "version: 1\nbend: 3", "version: 1\nbend: 3\ncontrollers:\n  " + line, ""},
		{"empty list", "version: 1\ncontrollers: [] # yet\nbend: 3\n", "version: 1\ncontrollers:\n  " + line + "bend: 3\n", ""},
		{"null list", "version: 1\ncontrollers:\nbend: 3\n", "version: 1\ncontrollers:\n  " + line + "bend: 3\n", ""},
		{"list", goodMap, strings.Replace(goodMap, "  - {channel: 1,", "  "+line+"  - {channel: 1,", 1), ""},
		{"list at the margin", "version: 1\ncontrollers:\n- {controller: 1, address: /x}\n", "version: 1\ncontrollers:\n" + line + "- {controller: 1, address: /x}\n", ""},
		{"list in a line", "version: 1\ncontrollers: [{controller: 1, address: /x}]\n", "", "must be a list with a line for each"},
		{"twice", "version: 1\ncontrollers:\n  - {channel: 2, controller: 20, address: /x}\n", "", "moves /x already"},
		{"wrong", "version: 3\n", "", "version must be 1"},
	} {
		path := filepath.Join(t.TempDir(), "folder", "map.yaml")
		if tt.before != "" {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tt.before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		others, err := AddBinding(path, b)
		after, _ := os.ReadFile(path)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || string(after) != tt.before {
				t.Errorf("%s: %v, want %s; the file: %s", tt.name, err, tt.err, after)
			}
			continue
		}
		if err != nil || string(after) != tt.after {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, err, after, tt.after)
		}
		if want := map[bool]int{true: 1}[strings.HasSuffix(tt.name, "margin")]; others != want {
			t.Errorf("%s: %d others, want %d", tt.name, others, want)
		}
	}
	if _, err := ReadMap(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// Any text is a map, or an error of one line with its position. A line can be added to a map.
func FuzzMap(f *testing.F) {
	for _, s := range []string{goodMap, "", "version: 1\ncontrollers: [{controller: 1, address: /x}]", "version: 1\ncontrollers:\n", "version: 1\nprograms: []", "a: &a [*a]", "version: 1\n---\nversion: 1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMap("m", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "map m:") || strings.Contains(err.Error(), "\n") && !strings.Contains(err.Error(), "not YAML") {
				t.Errorf("%q", err)
			}
			return
		}
		more, err := added(m, text, Binding{Channel: 16, Controller: 119, Address: "/nobody/has/this"})
		if err != nil {
			return
		}
		if n, err := ParseMap("m", more); err == nil && len(n.Controllers) == len(m.Controllers)+1 && !reflect.DeepEqual(n.Programs, shifted(m.Programs, n.Programs)) {
			t.Errorf("%q became %q", text, more)
		}
	})
}

// shifted returns programs with the lines of other programs.
func shifted(p, at []Program) []Program {
	p = append([]Program(nil), p...)
	for i := range p {
		if i < len(at) {
			p[i].Pos = at[i].Pos
		}
	}
	return p
}

// A controller has moved once it has sent two values, whatever arrives in between.
func TestLearner(t *testing.T) {
	for _, tt := range []struct {
		name, bytes   string
		only          int
		ch, number, n int // after how many bytes; 0: never
	}{
		{"two values", "B0 4A 10 4A 11", 0, 1, 74, 5},
		{"the same value", "B0 4A 10 4A 10 4A 10", 0, 0, 0, 0},
		{"another came first", "B0 07 64 B2 4A 10 90 3C 7F B2 4A 11 B0 07 65", 0, 3, 74, 12},
		{"two channels are two", "B0 4A 10 B1 4A 11 B1 4A 12", 0, 2, 74, 9},
		{"of a channel", "B0 4A 10 4A 11 B1 4A 11 4A 12", 2, 2, 74, 10},
		{"modes are none", "B0 7B 00 7B 01 79 00 79 7F", 0, 0, 0, 0},
	} {
		l, n := NewLearner(tt.only), 0
		for i, b := range bytesOf(t, tt.bytes) {
			if ch, number, ok := l.Bytes([]byte{b}); ok && n == 0 {
				n = i + 1
				if ch != tt.ch || number != tt.number {
					t.Errorf("%s: channel %d, controller %d", tt.name, ch, number)
				}
			}
		}
		if n != tt.n {
			t.Errorf("%s: after %d bytes, want %d", tt.name, n, tt.n)
		}
	}
}
