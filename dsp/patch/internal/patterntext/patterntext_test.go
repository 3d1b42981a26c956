package patterntext_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"

	"github.com/music-chronus/chronus/dsp/patch/internal/patterntext"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/dsp/yaml"
)

// read reads a list of one pattern.
func read(text string) (number int, p sequencer.Pattern, err error) {
	limits := yaml.Limits{Bytes: 4096, Lines: 100, Tokens: 1000}
	err = yaml.Source{Kind: "pattern", Name: "p"}.Read([]byte(text), limits, func(r *yaml.Reader, body ast.Node) {
		r.List(body, "patterns", 1, func(n ast.Node) { number, p = patterntext.Read(r, n) })
	})
	return number, p, err
}

// Read reads what Write writes as the same pattern.
func TestRoundTrip(t *testing.T) {
	for _, text := range []string{
		"- {number: 0, steps: x}",
		"- {number: 127, steps: 'X.x- x-', base: 36, notes: [0, 7, -5], gate: 0.25, chance: [1, 0.5], seed: 9}",
		"- {number: 3, steps: 'xxxx', velocity: [0.1, 0.9], lanes: [[0.5, '.'], 2, [1e3, '.', -0.25]]}",
	} {
		number, p, err := read(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var b strings.Builder
		patterntext.Write(&b, number, &p)
		if again, q, err := read(b.String()); err != nil || again != number || q != p {
			t.Errorf("%s: %v; written as\n%s", text, err, b.String())
		}
	}
}

// Errors name the place, and what would be right.
func TestReadErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"- {number: 0}", "a pattern needs steps: X an accent, x a hit, - a tie, . a rest"},
		{"- {number: 0, steps: xyz}", "pattern p:1:22: step 2 is 'y'; it must be X, x, . or -"},
		{"- {number: 128, steps: x}", "pattern p:1:12: number must be a whole number from 0 to 127"},
		{"- {number: 0, steps: x, velocity: [1]}", "velocity must be a list of two, for x and for X: [0.7, 1]"},
		{"- {number: 0, steps: x, notes: []}", "notes has 0 values; it must have 1 to 64"},
		{"- {number: 0, steps: x, gate: [0.5, 2]}", ""},
		{"- {number: 0, steps: xx, gate: [0.5, 2]}", "pattern p:1:38: gate must be a number from 0.05 to 1"},
		{"- {number: 0, step: x}", `a pattern has no key "step"; did you mean steps?`},
	} {
		_, _, err := read(tt.text)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %s", tt.text, err, tt.want)
		}
	}
}
