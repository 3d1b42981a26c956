package plan

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
	maxText   = 64 << 10
	maxLines  = 4096
	maxTokens = 16384
	maxRepeat = 1_000_000
	maxStall  = time.Minute
	maxTime   = 1000 * time.Hour
)

// anyFault stands for one of all kinds that the engine allows.
const anyFault = "any"

const example = "write a list of steps like - {after: 1s, fault: kill}"

// Parse reads a plan's text, which is YAML. Errors call the plan by name, and name line and column.
func Parse(name string, text []byte) (*Plan, error) {
	p := &Plan{name: name, Text: string(text)}
	limits := yaml.Limits{Bytes: maxText, Lines: maxLines, Tokens: maxTokens}
	err := p.source().Read(text, limits, func(r *yaml.Reader, body ast.Node) {
		p.steps = (&reader{Reader: r}).steps(body, false)
	})
	switch {
	case errors.Is(err, yaml.ErrEmpty):
		return nil, fmt.Errorf("plan %s: empty; %s", name, example)
	case err != nil:
		return nil, err
	}
	return p, nil
}

func (p *Plan) source() yaml.Source { return yaml.Source{Kind: "plan", Name: p.name} }

// reader walks the YAML tree of a plan.
type reader struct {
	*yaml.Reader
	last time.Duration // the last at
}

// steps reads a list of steps. repeated says that the list is done more than once: then a step must
// not name one time.
func (r *reader) steps(n ast.Node, repeated bool) (list []Step) {
	s, ok := n.(*ast.SequenceNode)
	if !ok || len(s.Values) == 0 {
		r.Fail(n, "a plan must have steps: %s", example)
		return nil
	}
	for _, v := range s.Values {
		if r.Err == nil {
			list = append(list, r.step(v, repeated))
		}
	}
	return list
}

var stepKeys = []string{"at", "after", "fault", "for", "repeat", "steps"}

func (r *reader) step(n ast.Node, repeated bool) Step {
	out := Step{pos: yaml.PosOf(n), Repeat: 1}
	m, ok := n.(ast.MapNode)
	if !ok {
		r.Fail(n, "a step must be a mapping: %s", example)
		return out
	}
	keys := map[string]ast.Node{} // before their values: whether at is allowed depends on repeat
	for it := m.MapRange(); it.Next() && r.Err == nil; {
		key := it.Key().String()
		if out.pos.Line > yaml.PosOf(it.Key()).Line || out.pos.Column > yaml.PosOf(it.Key()).Column {
			out.pos = yaml.PosOf(it.Key()) // for a mapping without brackets the library gives the colon
		}
		switch {
		case !slices.Contains(stepKeys, key):
			r.Fail(it.Key(), "unknown key %q in a step; the keys are %s", yaml.Clip(key), strings.Join(stepKeys, ", "))
		case keys[key] != nil:
			r.Fail(it.Key(), "a step has %q twice", key)
		}
		keys[key] = it.Value()
	}
	if r.Err == nil {
		r.stepValues(keys, &out, repeated)
	}
	return out
}

func (r *reader) stepValues(keys map[string]ast.Node, out *Step, repeated bool) {
	if v := keys["repeat"]; v != nil {
		out.Repeat = r.count(v)
		repeated = true
	}
	if v := keys["at"]; v != nil {
		out.Timed, out.At = true, r.duration(v, "at", 0, maxTime)
		switch {
		case repeated:
			r.Fail(v, "a repeated step has no single time: use after, not at")
		case keys["after"] != nil:
			r.Fail(v, "at and after exclude each other")
		case out.At < r.last:
			r.Fail(v, "at %v is before the %v of a step above", out.At, r.last)
		}
		r.last = out.At
	}
	if v := keys["after"]; v != nil {
		out.After = r.duration(v, "after", 0, maxTime)
	}
	fault, steps := keys["fault"], keys["steps"]
	switch {
	case fault == nil && steps == nil:
		r.FailAt(out.pos, "a step needs fault or steps")
	case fault != nil && steps != nil:
		r.Fail(steps, "fault and steps exclude each other")
	case steps != nil:
		for _, key := range []string{"at", "after", "for"} {
			if keys[key] != nil {
				r.Fail(keys[key], "%s belongs to a step with fault, not to one with steps", key)
			}
		}
		out.Steps = r.steps(steps, repeated)
	default:
		out.Faults = r.faults(fault)
	}
	if v := keys["for"]; v != nil {
		out.Length = r.duration(v, "for", time.Millisecond, maxStall)
		if r.Err == nil && !slices.Equal(out.Faults, []string{"stall"}) {
			r.Fail(v, "for belongs to the fault stall alone")
		}
	}
}

// faults reads one name, a list of names, or any.
func (r *reader) faults(n ast.Node) (names []string) {
	kinds := strings.Join(KindNames(), ", ")
	list := []ast.Node{n}
	if s, ok := n.(*ast.SequenceNode); ok {
		list = s.Values
	}
	for _, v := range list {
		s, ok := v.(*ast.StringNode)
		if !ok {
			r.Fail(v, "fault must be a word or a list of words; the faults are %s", kinds)
			return nil
		}
		if _, ok := KindOf(s.Value); !ok && (s.Value != anyFault || len(list) > 1) {
			r.Fail(v, "unknown fault %q; the faults are %s, and any", yaml.Clip(s.Value), kinds)
		}
		names = append(names, s.Value)
	}
	if len(names) == 0 {
		r.Fail(n, "fault is an empty list; the faults are %s", kinds)
	}
	return names
}

func (r *reader) count(n ast.Node) int {
	if v, ok := n.(*ast.IntegerNode); ok {
		if x, ok := v.Value.(uint64); ok && x >= 1 && x <= maxRepeat {
			return int(x)
		}
	}
	r.Fail(n, "repeat must be a whole number from 1 to %d", maxRepeat)
	return 1
}

func (r *reader) duration(n ast.Node, what string, least, most time.Duration) time.Duration {
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
