package midi

import (
	"bytes"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/music-chronus/chronus/dsp/yaml"
)

// The limits of a map's text.
const (
	MaxMapText   = 64 << 10
	maxMapLines  = 2048
	maxMapTokens = 16384
)

// ParseMap parses a map's text, YAML. Errors have the name, line and column.
func ParseMap(name string, text []byte) (Map, error) {
	m := Map{File: name}
	if len(bytes.TrimSpace(text)) == 0 {
		return m, nil
	}
	limits := yaml.Limits{Bytes: MaxMapText, Lines: maxMapLines, Tokens: maxMapTokens}
	err := yaml.Source{Kind: "map", Name: name}.Read(text, limits, func(r *yaml.Reader, body ast.Node) {
		(&mapReader{r}).whole(body, &m)
	})
	if err != nil {
		return Map{}, err
	}
	return m, nil
}

// mapReader walks the YAML tree of a map.
type mapReader struct{ *yaml.Reader }

func (r *mapReader) whole(n ast.Node, m *Map) {
	seen := r.Fields(n, "a map", []string{"version", "bend", "controllers", "programs"}, func(key string, _, v ast.Node) {
		switch key {
		case "version":
			r.Number(v, key, 1, 1, true)
		case "bend":
			m.Bend = r.Number(v, key, 0, maxBend, false)
			if m.Bend == 0 {
				r.Fail(v, "bend must be above 0; leave bend out if the voices have no pitch")
			}
		case "controllers":
			m.list = r.each(v, key, func(n ast.Node) { m.Controllers = append(m.Controllers, r.binding(n, m.Controllers)) })
		case "programs":
			r.each(v, key, func(n ast.Node) { m.Programs = append(m.Programs, r.program(n)) })
		}
	})
	if !seen["version"] {
		r.Fail(n, "missing version: the first line must be version: 1")
	}
}

// list says how a list is written: where it begins, and whether each element has a line.
type list struct {
	there, lines bool
	Pos
}

// each reads a list, which may be empty.
func (r *mapReader) each(n ast.Node, what string, one func(ast.Node)) list {
	s, ok := n.(*ast.SequenceNode)
	if _, null := n.(*ast.NullNode); null {
		return list{there: true}
	}
	if !ok {
		r.Fail(n, "%s must be a list", what)
		return list{}
	}
	for _, v := range s.Values {
		if r.Err == nil {
			one(v)
		}
	}
	return list{true, !s.IsFlowStyle && len(s.Values) > 0, yaml.PosOf(s)}
}

func (r *mapReader) binding(n ast.Node, before []Binding) (b Binding) {
	b.Pos = yaml.PosOf(n)
	keys := []string{"channel", "controller", "address", "min", "max", "curve"}
	seen := r.Fields(n, "a controller", keys, func(key string, _, v ast.Node) {
		switch key {
		case "channel":
			b.Channel = int(r.Number(v, key, 1, 16, true))
		case "controller":
			b.Pos = yaml.PosOf(v)
			b.Controller = int(r.Number(v, key, 0, maxController, true))
		case "address":
			b.Address = r.address(v)
		case "min":
			b.Min = r.Number(v, key, -1e9, 1e9, false)
		case "max":
			b.Max = r.Number(v, key, -1e9, 1e9, false)
		case "curve":
			w := r.Word(v, key)
			if b.Curve = Curve(slices.Index(curves, w)); b.Curve < CurveLin {
				r.Fail(v, "curve is %.64q; it must be lin or exp", w)
			}
		}
	})
	b.Ranged = seen["min"]
	switch {
	case !seen["controller"] || !seen["address"]:
		r.Fail(n, "a controller needs controller (its number) and address")
	case seen["min"] != seen["max"]:
		r.Fail(n, "min and max must both be given, or neither")
	case b.Ranged && b.Curve == CurveExp && !(b.Min > 0 && b.Max > 0):
		r.Fail(n, "curve exp needs min and max above 0")
	}
	for _, o := range before {
		if o.Controller == b.Controller && o.Channel == b.Channel && o.Address == b.Address {
			r.Fail(n, "controller %d moves %.64s already, in line %d", b.Controller, b.Address, o.Line)
		}
	}
	return b
}

func (r *mapReader) program(n ast.Node) (p Program) {
	p.Pos = yaml.PosOf(n)
	seen := r.Fields(n, "a program", []string{"channel", "program", "address", "value"}, func(key string, _, v ast.Node) {
		switch key {
		case "channel":
			p.Channel = int(r.Number(v, key, 1, 16, true))
		case "program":
			p.Program = int(r.Number(v, key, 0, 127, true))
		case "address":
			p.Address = r.address(v)
		case "value":
			if x, ok := yaml.Number(v); ok {
				p.Args = []any{float32(x)}
			} else {
				p.Args = []any{r.Word(v, key)}
			}
		}
	})
	if !seen["program"] || !seen["address"] {
		r.Fail(n, "a program needs program (its number from 0) and address")
	}
	return p
}

func (r *mapReader) address(n ast.Node) string {
	a := r.Word(n, "address")
	if err := CheckAddress(a); err != nil {
		r.Fail(n, "%v", err)
	}
	return a
}
