package midi

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a map's text; the YAML library's work grows with the square of lines and words, and with the depth of its recursion.
const (
	MaxMapText   = 64 << 10
	maxMapLines  = 2048
	maxMapTokens = 16384
	maxMapDepth  = 16 // of brackets
)

// ParseMap reads a map's text, YAML. name stands for it in messages, which have line and column.
func ParseMap(name string, text []byte) (m Map, err error) {
	m.File = name
	if len(bytes.TrimSpace(text)) == 0 {
		return m, nil
	}
	defer func() {
		if x := recover(); x != nil { // the YAML library gives up on some input by panicking
			m, err = Map{}, fmt.Errorf("map %s: not YAML: %v", name, x)
		}
	}()
	tokens, err := mapTokens(name, text)
	if err != nil {
		return Map{}, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return Map{}, mapSyntax(name, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return Map{}, fmt.Errorf("map %s: it holds %d YAML documents, it must hold one", name, len(file.Docs))
	}
	r := &mapReader{name: name}
	r.whole(file.Docs[0].Body, &m)
	if r.err != nil {
		return Map{}, r.err
	}
	return m, nil
}

// mapTokens splits a text of bounded size into words and signs.
func mapTokens(name string, text []byte) (token.Tokens, error) {
	if len(text) > MaxMapText {
		return nil, fmt.Errorf("map %s: %d bytes; the most are %d", name, len(text), MaxMapText)
	}
	if n := bytes.Count(text, []byte{'\n'}); n > maxMapLines {
		return nil, fmt.Errorf("map %s: %d lines; the most are %d", name, n, maxMapLines)
	}
	tokens := lexer.Tokenize(string(text))
	if len(tokens) > maxMapTokens {
		return nil, fmt.Errorf("map %s: %d words and signs; the most are %d", name, len(tokens), maxMapTokens)
	}
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(0, depth-1)
		}
		if depth > maxMapDepth {
			return nil, mapError(name, Pos{t.Position.Line, t.Position.Column}, "more than %d brackets deep", maxMapDepth)
		}
	}
	return tokens, nil
}

// mapSyntax is the YAML library's error in our form.
func mapSyntax(name string, err error) error {
	var placed interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &placed) && placed.GetToken() != nil && placed.GetToken().Position != nil {
		p := placed.GetToken().Position
		return mapError(name, Pos{p.Line, p.Column}, "not YAML: %s", placed.GetMessage())
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("map %s: not YAML: %s", name, first)
}

// mapError is an error at a place of a map's text.
func mapError(name string, p Pos, format string, args ...any) error {
	return fmt.Errorf("map %s:%d:%d: "+format, append([]any{name, p.Line, p.Column}, args...)...)
}

// mapReader walks the YAML tree and keeps the first error.
type mapReader struct {
	name string
	err  error
}

func (r *mapReader) fail(n ast.Node, format string, args ...any) {
	if r.err == nil {
		r.err = mapError(r.name, posOf(n), format, args...)
	}
}

func posOf(n ast.Node) Pos {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Pos{1, 1}
	}
	p := n.GetToken().Position
	return Pos{p.Line, p.Column}
}

// fields calls the function of each key of a mapping; other keys, and keys twice, are errors.
func (r *mapReader) fields(n ast.Node, what string, known []string, field func(key string, v ast.Node)) (seen map[string]bool) {
	seen = map[string]bool{}
	m, ok := n.(ast.MapNode)
	if !ok {
		r.fail(n, "%s must have the keys %s", what, strings.Join(known, ", "))
		return seen
	}
	for it := m.MapRange(); it.Next() && r.err == nil; {
		key := it.Key().String()
		if s, ok := it.Key().(*ast.StringNode); ok {
			key = s.Value
		}
		switch {
		case !slices.Contains(known, key):
			r.fail(it.Key(), "%s has no %.64q; its keys are %s", what, key, strings.Join(known, ", "))
		case seen[key]:
			r.fail(it.Key(), "%s has %q twice", what, key)
		default:
			seen[key] = true
			field(key, it.Value())
		}
	}
	return seen
}

func (r *mapReader) whole(n ast.Node, m *Map) {
	seen := r.fields(n, "a map", []string{"version", "bend", "controllers", "programs"}, func(key string, v ast.Node) {
		switch key {
		case "version":
			r.number(v, key, 1, 1, true)
		case "bend":
			m.Bend = r.number(v, key, 0, mostBend, false)
			if m.Bend == 0 {
				r.fail(v, "bend must be above 0: leave the wheel's turns out with an engine whose voices have no pitch")
			}
		case "controllers":
			m.list = r.each(v, key, func(n ast.Node) { m.Controllers = append(m.Controllers, r.binding(n, m.Controllers)) })
		case "programs":
			r.each(v, key, func(n ast.Node) { m.Programs = append(m.Programs, r.program(n)) })
		}
	})
	if !seen["version"] {
		r.fail(n, "version is missing: the first line should be version: 1")
	}
}

// list is how a list is written: where its first line begins, and whether it has a line for each.
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
		r.fail(n, "%s must be a list", what)
		return list{}
	}
	for _, v := range s.Values {
		if r.err == nil {
			one(v)
		}
	}
	return list{true, !s.IsFlowStyle && len(s.Values) > 0, posOf(s)}
}

func (r *mapReader) binding(n ast.Node, before []Binding) (b Binding) {
	b.Pos = posOf(n)
	seen := r.fields(n, "a controller", []string{"channel", "controller", "address", "min", "max", "curve"}, func(key string, v ast.Node) {
		switch key {
		case "channel":
			b.Channel = int(r.number(v, key, 1, 16, true))
		case "controller":
			b.Pos = posOf(v)
			b.Controller = int(r.number(v, key, 0, maxController, true))
		case "address":
			b.Address = r.address(v)
		case "min":
			b.Min = r.number(v, key, -1e9, 1e9, false)
		case "max":
			b.Max = r.number(v, key, -1e9, 1e9, false)
		case "curve":
			w := r.word(v, key)
			if b.Curve = Curve(slices.Index(curves, w)); b.Curve < CurveLin {
				r.fail(v, "curve is %.64q; it must be lin or exp", w)
			}
		}
	})
	b.Ranged = seen["min"]
	switch {
	case !seen["controller"] || !seen["address"]:
		r.fail(n, "a controller needs both controller, its number, and address")
	case seen["min"] != seen["max"]:
		r.fail(n, "min and max come together, or neither")
	case b.Ranged && b.Curve == CurveExp && !(b.Min > 0 && b.Max > 0):
		r.fail(n, "curve exp needs min and max above 0")
	}
	for _, o := range before {
		if o.Controller == b.Controller && o.Channel == b.Channel && o.Address == b.Address {
			r.fail(n, "controller %d moves %.64s already, by line %d", b.Controller, b.Address, o.Line)
		}
	}
	return b
}

func (r *mapReader) program(n ast.Node) (p Program) {
	p.Pos = posOf(n)
	seen := r.fields(n, "a program", []string{"channel", "program", "address", "value"}, func(key string, v ast.Node) {
		switch key {
		case "channel":
			p.Channel = int(r.number(v, key, 1, 16, true))
		case "program":
			p.Program = int(r.number(v, key, 0, 127, true))
		case "address":
			p.Address = r.address(v)
		case "value":
			if x, ok := number(v); ok {
				p.Args = []any{float32(x)}
			} else {
				p.Args = []any{r.word(v, key)}
			}
		}
	})
	if !seen["program"] || !seen["address"] {
		r.fail(n, "a program needs both program, its number from 0, and address")
	}
	return p
}

// number is a number in a range.
func (r *mapReader) number(n ast.Node, what string, lo, hi float64, whole bool) float64 {
	x, ok := number(n)
	if !ok || x < lo || x > hi || whole && x != math.Trunc(x) {
		kind := "a number"
		if whole {
			kind = "a whole number"
		}
		if lo == hi {
			r.fail(n, "%s must be %g", what, lo)
		}
		r.fail(n, "%s must be %s from %g to %g", what, kind, lo, hi)
	}
	return x
}

func (r *mapReader) word(n ast.Node, what string) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	r.fail(n, "%s must be a word", what)
	return ""
}

func (r *mapReader) address(n ast.Node) string {
	a := r.word(n, "address")
	if err := CheckAddress(a); err != nil {
		r.fail(n, "%v", err)
	}
	return a
}

// number is a finite scalar.
func number(n ast.Node) (x float64, ok bool) {
	switch v := n.(type) {
	case *ast.IntegerNode:
		switch i := v.Value.(type) {
		case int64:
			x = float64(i)
		case uint64:
			x = float64(i)
		}
	case *ast.FloatNode:
		x = v.Value
	case *ast.StringNode: // the YAML library takes 1e3 for a word
		f, err := strconv.ParseFloat(v.Value, 64)
		if err != nil || v.GetToken().Type != token.StringType || !strings.ContainsAny(v.Value[:1], "0123456789.+-") {
			return 0, false
		}
		x = f
	default:
		return 0, false
	}
	return x, !math.IsInf(x, 0) && !math.IsNaN(x)
}
