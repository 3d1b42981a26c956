package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/music-chronus/chronus/dsp/yaml"
)

// Limits of a plan's text.
const (
	maxPlanText   = 64 << 10
	maxPlanLines  = 4096
	maxPlanTokens = 16384
	maxRepeat     = 1_000_000
	maxStall      = time.Minute
	maxPlanTime   = 1000 * time.Hour
)

// anyFault stands for one of all kinds that the engine allows.
const anyFault = "any"

const planExample = "write a list of steps like - {after: 1s, fault: kill}"

// parsePlan reads a plan's text, YAML. name stands for it in messages.
func parsePlan(name string, text []byte) (*faultPlan, error) {
	p := &faultPlan{name: name, text: string(text)}
	err := p.source().Read(text, yaml.Limits{Bytes: maxPlanText, Lines: maxPlanLines, Tokens: maxPlanTokens}, func(r *yaml.Reader, body ast.Node) {
		p.steps = (&planReader{Reader: r}).steps(body, false)
	})
	switch {
	case errors.Is(err, yaml.ErrEmpty):
		return nil, fmt.Errorf("plan %s: it holds no plan: %s", name, planExample)
	case err != nil:
		return nil, err
	}
	return p, nil
}

func (p *faultPlan) source() yaml.Source { return yaml.Source{Kind: "plan", Name: p.name} }

// planReader walks the YAML tree of a plan.
type planReader struct {
	*yaml.Reader
	last time.Duration // the last at
}

// steps reads a list of them; again tells that it is done more than once, when no step has one time.
func (r *planReader) steps(n ast.Node, again bool) (list []faultStep) {
	s, ok := n.(*ast.SequenceNode)
	if !ok || len(s.Values) == 0 {
		r.Fail(n, "a plan must have steps: %s", planExample)
		return nil
	}
	for _, v := range s.Values {
		if r.Err == nil {
			list = append(list, r.step(v, again))
		}
	}
	return list
}

var stepKeys = []string{"at", "after", "fault", "for", "repeat", "steps"}

func (r *planReader) step(n ast.Node, again bool) faultStep {
	out := faultStep{place: yaml.PosOf(n), repeat: 1}
	m, ok := n.(ast.MapNode)
	if !ok {
		r.Fail(n, "a step must be a mapping: %s", planExample)
		return out
	}
	keys := map[string]ast.Node{} // before their values: whether at has a meaning depends on repeat
	for it := m.MapRange(); it.Next() && r.Err == nil; {
		key := it.Key().String()
		if out.place.Line > yaml.PosOf(it.Key()).Line || out.place.Column > yaml.PosOf(it.Key()).Column {
			out.place = yaml.PosOf(it.Key()) // of a mapping without brackets the library knows the colon
		}
		switch {
		case !slices.Contains(stepKeys, key):
			r.Fail(it.Key(), "a step has no %q; there are %s", yaml.Clip(key), strings.Join(stepKeys, ", "))
		case keys[key] != nil:
			r.Fail(it.Key(), "a step has %q twice", key)
		}
		keys[key] = it.Value()
	}
	if r.Err == nil {
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
			r.Fail(v, "at stands in a repeat, where no step has one time: use after")
		case keys["after"] != nil:
			r.Fail(v, "at and after exclude each other")
		case out.at < r.last:
			r.Fail(v, "at %v is before the %v of a step above", out.at, r.last)
		}
		r.last = out.at
	}
	if v := keys["after"]; v != nil {
		out.after = r.duration(v, "after", 0, maxPlanTime)
	}
	fault, steps := keys["fault"], keys["steps"]
	switch {
	case fault == nil && steps == nil:
		r.FailAt(out.place, "a step needs fault or steps")
	case fault != nil && steps != nil:
		r.Fail(steps, "fault and steps exclude each other")
	case steps != nil:
		for _, key := range []string{"at", "after", "for"} {
			if keys[key] != nil {
				r.Fail(keys[key], "%s belongs to a step with a fault, not to one with steps", key)
			}
		}
		out.steps = r.steps(steps, again)
	default:
		out.faults = r.faults(fault)
	}
	if v := keys["for"]; v != nil {
		out.length = r.duration(v, "for", time.Millisecond, maxStall)
		if r.Err == nil && !slices.Equal(out.faults, []string{"stall"}) {
			r.Fail(v, "for belongs to the fault stall alone")
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
			r.Fail(v, "fault must be a word or a list of words; there are %s", strings.Join(kindNames(), ", "))
			return nil
		}
		if _, ok := kindOf(s.Value); !ok && (s.Value != anyFault || len(list) > 1) {
			r.Fail(v, "no fault %q; there are %s, and any", yaml.Clip(s.Value), strings.Join(kindNames(), ", "))
		}
		names = append(names, s.Value)
	}
	if len(names) == 0 {
		r.Fail(n, "fault is an empty list; there are %s", strings.Join(kindNames(), ", "))
	}
	return names
}

func (r *planReader) count(n ast.Node) int {
	if v, ok := n.(*ast.IntegerNode); ok {
		if x, ok := v.Value.(uint64); ok && x >= 1 && x <= maxRepeat {
			return int(x)
		}
	}
	r.Fail(n, "repeat must be a whole number from 1 to %d", maxRepeat)
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
		r.Fail(n, "%s must be a time with its unit, like 2.5s or 300ms", what)
		return least
	}
	if d < least || d > most {
		r.Fail(n, "%s %v is outside %v to %v", what, d, least, most)
	}
	return d
}
