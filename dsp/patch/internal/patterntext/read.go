// Package patterntext reads and writes the patterns of the sequencer in a patch's YAML text.
package patterntext

import (
	"math"

	"github.com/goccy/go-yaml/ast"

	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/dsp/yaml"
)

var keys = []string{"number", "steps", "base", "notes", "gate", "chance", "velocity", "seed", "lanes"}

// parser reads one pattern. Values for each step are read last, since they need the steps.
type parser struct {
	*yaml.Reader
	sequencer.Pattern
	number int
	steps  bool // the pattern has the key steps
	later  []func()
}

// Read reads a pattern and its number. Errors go to the reader.
func Read(r *yaml.Reader, n ast.Node) (number int, p sequencer.Pattern) {
	x := &parser{Reader: r}
	x.Pattern, _ = sequencer.ParsePattern(".")
	r.Fields(n, "a pattern", keys, func(key string, _, v ast.Node) { x.field(key, v) })
	if r.Err == nil && !x.steps {
		r.Fail(n, "a pattern needs steps: X an accent, x a hit, - a tie, . a rest")
	}
	for _, f := range x.later {
		if r.Err == nil {
			f()
		}
	}
	if err := x.Check(); r.Err == nil && err != nil {
		r.Fail(n, "%v", err)
	}
	return x.number, x.Pattern
}

func (x *parser) field(key string, v ast.Node) {
	switch key {
	case "number":
		x.number = int(x.Number(v, key, 0, sequencer.Patterns-1, true))
	case "steps":
		text := x.Word(v, key)
		x.steps = text != ""
		if parsed, err := sequencer.ParsePattern(text); err != nil {
			x.Fail(v, "%v", err)
		} else {
			x.N, x.Steps = parsed.N, parsed.Steps
		}
	case "base":
		x.Base = int(x.Number(v, key, 0, 127, true))
	case "velocity":
		x.velocity(v, key)
	case "seed":
		x.Seed = uint64(x.Number(v, key, 0, 1<<32, true))
	case "notes":
		x.perStep(v, key, -127, 127, func(s *sequencer.Step, v float64) { s.Note = int8(math.Round(v)) })
	case "gate":
		x.perStep(v, key, 0.05, 1, func(s *sequencer.Step, v float64) { s.Gate = uint16(thousandths(v)) })
	case "chance":
		x.perStep(v, key, 0, 1, func(s *sequencer.Step, v float64) { s.Probability = uint16(thousandths(v)) })
	case "lanes":
		lane := 0
		x.List(v, key, sequencer.Lanes, func(n ast.Node) {
			k := lane
			x.perStep(n, "a lane", -1e9, 1e9, func(s *sequencer.Step, v float64) { s.SetValue(k, float32(v)) })
			lane++
		})
	}
}

func (x *parser) velocity(v ast.Node, key string) {
	var two []float64
	x.List(v, key, 2, func(n ast.Node) { two = append(two, x.Number(n, "a velocity", 0, 1, false)) })
	if x.Err == nil && len(two) != 2 {
		x.Fail(v, "velocity must be a list of two, for x and for X: [0.7, 1]")
	} else if x.Err == nil {
		x.Soft, x.Loud = thousandths(two[0]), thousandths(two[1])
	}
}

func thousandths(v float64) int { return int(math.Round(v * sequencer.Whole)) }

// perStep reads, later, a number for all steps, or a list that repeats; "." in it skips a step.
func (x *parser) perStep(v ast.Node, what string, lo, hi float64, set func(s *sequencer.Step, v float64)) {
	x.later = append(x.later, func() { x.values(v, what, lo, hi, set) })
}

func (x *parser) values(v ast.Node, what string, lo, hi float64, set func(s *sequencer.Step, v float64)) {
	list, ok := v.(*ast.SequenceNode)
	if !ok {
		number := x.Number(v, what, lo, hi, false)
		for i := range x.N {
			set(&x.Steps[i], number)
		}
		return
	}
	if n := len(list.Values); n == 0 || n > sequencer.MaxSteps {
		x.Fail(v, "%s has %d values; it must have 1 to %d", what, n, sequencer.MaxSteps)
		return
	}
	for i := range x.N {
		value := list.Values[i%len(list.Values)]
		if s, ok := value.(*ast.StringNode); ok && s.Value == "." {
			continue
		}
		set(&x.Steps[i], x.Number(value, what, lo, hi, false))
	}
}
