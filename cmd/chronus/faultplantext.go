package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a plan's text; the YAML library's work grows with the square of lines and words, and with the depth of
// its recursion.
const (
	maxPlanText   = 64 << 10
	maxPlanLines  = 4096
	maxPlanTokens = 16384
	maxPlanDepth  = 16 // of brackets
	maxRepeat     = 1_000_000
	maxStall      = time.Minute
	maxPlanTime   = 1000 * time.Hour
)

// anyFault stands for one of all kinds that the engine allows.
const anyFault = "any"

const planExample = "write a list of steps like - {after: 1s, fault: kill}"

// parsePlan reads a plan's text, YAML. name stands for it in messages.
func parsePlan(name string, text []byte) (p *faultPlan, err error) {
	defer func() {
		if x := recover(); x != nil { // the YAML library gives up on some input by panicking
			p, err = nil, fmt.Errorf("plan %s: not YAML: %v", name, x)
		}
	}()
	tokens, err := planTokens(name, text)
	if err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, planSyntax(name, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("plan %s: it holds no plan: %s", name, planExample)
	}
	r := &planReader{name: name}
	steps := r.steps(file.Docs[0].Body, false)
	if r.err != nil {
		return nil, r.err
	}
	return &faultPlan{name: name, text: string(text), steps: steps}, nil
}

// planTokens splits a text of bounded size into words and signs.
func planTokens(name string, text []byte) (token.Tokens, error) {
	if len(text) > maxPlanText {
		return nil, fmt.Errorf("plan %s: %d bytes; the most are %d", name, len(text), maxPlanText)
	}
	if n := bytes.Count(text, []byte{'\n'}); n > maxPlanLines {
		return nil, fmt.Errorf("plan %s: %d lines; the most are %d", name, n, maxPlanLines)
	}
	tokens := lexer.Tokenize(string(text))
	if len(tokens) > maxPlanTokens {
		return nil, fmt.Errorf("plan %s: %d words and signs; the most are %d", name, len(tokens), maxPlanTokens)
	}
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(0, depth-1)
		}
		if depth > maxPlanDepth {
			return nil, planError(name, place{t.Position.Line, t.Position.Column}, "more than %d brackets deep", maxPlanDepth)
		}
	}
	return tokens, nil
}

// planSyntax is the YAML library's error in our form.
func planSyntax(name string, err error) error {
	var placed interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &placed) && placed.GetToken() != nil && placed.GetToken().Position != nil {
		p := placed.GetToken().Position
		return planError(name, place{p.Line, p.Column}, "not YAML: %s", placed.GetMessage())
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("plan %s: not YAML: %s", name, first)
}

// planError is an error at a place of a plan's text.
func planError(name string, p place, format string, args ...any) error {
	return fmt.Errorf("plan %s:%d:%d: "+format, append([]any{name, p.line, p.column}, args...)...)
}

// planReader walks the YAML tree and keeps the first error.
type planReader struct {
	name string
	err  error
	last time.Duration // the last at
}

func (r *planReader) fail(n ast.Node, format string, args ...any) {
	r.failAt(placeOf(n), format, args...)
}

func (r *planReader) failAt(p place, format string, args ...any) {
	if r.err == nil {
		r.err = planError(r.name, p, format, args...)
	}
}

func placeOf(n ast.Node) place {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return place{1, 1}
	}
	p := n.GetToken().Position
	return place{p.Line, p.Column}
}

// steps reads a list of them; again tells that it is done more than once, when no step has one time.
func (r *planReader) steps(n ast.Node, again bool) (list []faultStep) {
	s, ok := n.(*ast.SequenceNode)
	if !ok || len(s.Values) == 0 {
		r.fail(n, "a plan must have steps: %s", planExample)
		return nil
	}
	for _, v := range s.Values {
		if r.err == nil {
			list = append(list, r.step(v, again))
		}
	}
	return list
}

var stepKeys = []string{"at", "after", "fault", "for", "repeat", "steps"}

func (r *planReader) step(n ast.Node, again bool) faultStep {
	out := faultStep{place: placeOf(n), repeat: 1}
	m, ok := n.(ast.MapNode)
	if !ok {
		r.fail(n, "a step must be a mapping: %s", planExample)
		return out
	}
	keys := map[string]ast.Node{} // before their values: whether at has a meaning depends on repeat
	for it := m.MapRange(); it.Next() && r.err == nil; {
		key := it.Key().String()
		if out.place.line > placeOf(it.Key()).line || out.place.column > placeOf(it.Key()).column {
			out.place = placeOf(it.Key()) // of a mapping without brackets the library knows the colon
		}
		switch {
		case !slices.Contains(stepKeys, key):
			r.fail(it.Key(), "a step has no %q; there are %s", clipWord(key), strings.Join(stepKeys, ", "))
		case keys[key] != nil:
			r.fail(it.Key(), "a step has %q twice", key)
		}
		keys[key] = it.Value()
	}
	if r.err == nil {
		r.stepValues(keys, &out, again)
	}
	return out
}

func (r *planReader) stepValues(keys map[string]ast.Node, out *faultStep, again bool) {
	if v := keys["repeat"]; v != nil {
		out.repeat = r.count(v)
		again = true
	}
	if v := keys["at"]; v != nil {
		out.timed, out.at = true, r.duration(v, "at", 0, maxPlanTime)
		switch {
		case again:
			r.fail(v, "at stands in a repeat, where no step has one time: use after")
		case keys["after"] != nil:
			r.fail(v, "at and after exclude each other")
		case out.at < r.last:
			r.fail(v, "at %v is before the %v of a step above", out.at, r.last)
		}
		r.last = out.at
	}
	if v := keys["after"]; v != nil {
		out.after = r.duration(v, "after", 0, maxPlanTime)
	}
	fault, steps := keys["fault"], keys["steps"]
	switch {
	case fault == nil && steps == nil:
		r.failAt(out.place, "a step needs fault or steps")
	case fault != nil && steps != nil:
		r.fail(steps, "fault and steps exclude each other")
	case steps != nil:
		for _, key := range []string{"at", "after", "for"} {
			if keys[key] != nil {
				r.fail(keys[key], "%s belongs to a step with a fault, not to one with steps", key)
			}
		}
		out.steps = r.steps(steps, again)
	default:
		out.faults = r.faults(fault)
	}
	if v := keys["for"]; v != nil {
		out.length = r.duration(v, "for", time.Millisecond, maxStall)
		if r.err == nil && !slices.Equal(out.faults, []string{"stall"}) {
			r.fail(v, "for belongs to the fault stall alone")
		}
	}
}

// faults is one name, a list of which one is taken at random, or any.
func (r *planReader) faults(n ast.Node) (names []string) {
	list := []ast.Node{n}
	if s, ok := n.(*ast.SequenceNode); ok {
		list = s.Values
	}
	for _, v := range list {
		s, ok := v.(*ast.StringNode)
		if !ok {
			r.fail(v, "fault must be a word or a list of words; there are %s", strings.Join(kindNames(), ", "))
			return nil
		}
		if _, ok := kindOf(s.Value); !ok && (s.Value != anyFault || len(list) > 1) {
			r.fail(v, "no fault %q; there are %s, and any", clipWord(s.Value), strings.Join(kindNames(), ", "))
		}
		names = append(names, s.Value)
	}
	if len(names) == 0 {
		r.fail(n, "fault is an empty list; there are %s", strings.Join(kindNames(), ", "))
	}
	return names
}

func (r *planReader) count(n ast.Node) int {
	if v, ok := n.(*ast.IntegerNode); ok {
		if x, ok := v.Value.(uint64); ok && x >= 1 && x <= maxRepeat {
			return int(x)
		}
	}
	r.fail(n, "repeat must be a whole number from 1 to %d", maxRepeat)
	return 1
}

func (r *planReader) duration(n ast.Node, what string, least, most time.Duration) time.Duration {
	text := ""
	switch v := n.(type) {
	case *ast.StringNode:
		text = v.Value
	case *ast.IntegerNode:
		if x, ok := v.Value.(uint64); ok && x == 0 {
			text = "0"
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		r.fail(n, "%s must be a time with its unit, like 2.5s or 300ms", what)
		return least
	}
	if d < least || d > most {
		r.fail(n, "%s %v is outside %v to %v", what, d, least, most)
	}
	return d
}

// clipWord bounds what a message quotes.
func clipWord(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
