package yaml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"

	"github.com/music-chronus/chronus/dsp/yaml"
)

var limits = yaml.Limits{Bytes: 1000, Lines: 50, Tokens: 200}

// read reads a mapping with a number, a word, and any other value.
func read(text string) (got string, err error) {
	err = yaml.Source{"thing", "t"}.Read([]byte(text), limits, func(r *yaml.Reader, body ast.Node) {
		r.Fields(body, "a thing", []string{"number", "word", "any"}, func(key string, keyNode, v ast.Node) {
			switch key {
			case "number":
				got += fmt.Sprint(r.Number(v, key, -2, 9, true))
			case "word":
				got += r.Word(v, key)
			default:
				x, ok := yaml.Number(v)
				got += fmt.Sprint(x, ok, yaml.PosOf(keyNode))
			}
		})
	})
	return got, err
}

// Errors name the place, and what would be right.
func TestRead(t *testing.T) {
	for _, tt := range []struct{ text, got, err string }{
		{"number: 3\nword: a b", "3a b", ""},
		{`{"number": -2, 'word': "x"}`, "-2x", ""},
		{"any: 1e3", "1000 true {1 1}", ""},
		{"any: '1e3'", "0 false {1 1}", ""},
		{"any: .inf", "0 false {1 1}", ""},
		{"any: 0x10", "16 true {1 1}", ""},
		{"", "", "thing t: no YAML document; there must be one"},
		{"# nothing", "", "thing t: no YAML document"},
		{"a: 1\n---\nb: 2", "", "thing t: 2 YAML documents"},
		{"number: 10", "", "thing t:1:9: number must be a whole number from -2 to 9"},
		{"number: 0.5", "", "thing t:1:9: number must be a whole number"},
		{"word: [1]", "", "thing t:1:7: word must be a word"},
		{"numbr: 1", "", `thing t:1:1: a thing has no key "numbr"; did you mean number? there are number, word, any`},
		{"word: a\nword: b", "", `thing t:2:1: `},
		{"- 1", "", "a thing must be a mapping with the keys number, word, any"},
		{"a: [", "", "thing t:1:"},
		{strings.Repeat("[", 17), "", "thing t:1:17: brackets are nested too deep; the maximum is 16"},
		{strings.Repeat("x", 1001), "", "thing t: 1001 bytes; the maximum is 1000"},
		{strings.Repeat("\n", 51), "", "thing t: 51 lines; the maximum is 50"},
		{strings.Repeat("- ", 201), "", "tokens; the maximum is 200"},
		{strings.Repeat("k", 100) + ": 1", "", `a thing has no key "` + strings.Repeat("k", 64) + `..."`},
	} {
		got, err := read(tt.text)
		if tt.err == "" && (err != nil || got != tt.got) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%.40q: %s, %v; want %s%s", tt.text, got, err, tt.got, tt.err)
		}
	}
	if _, err := read(" \n"); !errors.Is(err, yaml.ErrEmpty) {
		t.Error(err)
	}
}

// Read does not panic on any text.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"number: 3", "a: &x [*x]", "? [a]: b", "<<: *a", "a: |\n  b", "{a: {b: [1, 2]}}", "\"\\x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := read(text); err != nil && !strings.HasPrefix(err.Error(), "thing t") {
			t.Errorf("%v says nothing of where", err)
		}
	})
}
