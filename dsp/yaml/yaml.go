// Package yaml reads the texts that users write: patches, MIDI maps and fault plans. Errors name
// the line and column. The package bounds a text before goccy/go-yaml parses it, and has the checks
// that all these texts share. The package knows nothing of sound.
package yaml

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

// Pos is a place in a text. Lines and columns count from 1.
type Pos struct{ Line, Column int }

// PosOf returns the place of a node of the tree.
func PosOf(n ast.Node) Pos {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Pos{1, 1}
	}
	p := n.GetToken().Position
	return Pos{p.Line, p.Column}
}

// Limits bound a text. The YAML library's work grows with the square of lines and tokens, and its
// stack with the depth: 60 kB could take minutes or the whole stack. Brackets may be nested
// maxDepth deep.
type Limits struct{ Bytes, Lines, Tokens int }

const maxDepth = 16

// ErrEmpty reports a text without a YAML document.
var ErrEmpty = errors.New("no YAML document; there must be one")

// Source is the kind of a text, like "patch", and its name. All errors begin with both.
type Source struct{ Kind, Name string }

// Errorf returns an error at a place.
func (s Source) Errorf(p Pos, format string, args ...any) error {
	return fmt.Errorf("%s %s:%d:%d: "+format, append([]any{s.Kind, s.Name, p.Line, p.Column}, args...)...)
}

// Reader walks the tree of a text. Reader keeps the first error.
type Reader struct {
	Source
	Err error
}

// Read parses a text that holds one document and calls walk with its tree. Read returns the first
// error that walk gives to the Reader.
func (s Source) Read(text []byte, l Limits, walk func(r *Reader, body ast.Node)) (err error) {
	defer func() {
		if x := recover(); x != nil { // the YAML library panics on some input
			err = fmt.Errorf("%s %s: not YAML: %v", s.Kind, s.Name, x)
		}
	}()
	tokens, err := s.tokens(text, l)
	if err != nil {
		return err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return s.syntax(err)
	}
	if len(file.Docs) == 0 || len(file.Docs) == 1 && file.Docs[0].Body == nil {
		return fmt.Errorf("%s %s: %w", s.Kind, s.Name, ErrEmpty)
	}
	if len(file.Docs) > 1 {
		return fmt.Errorf("%s %s: %d YAML documents; there must be one", s.Kind, s.Name, len(file.Docs))
	}
	r := &Reader{Source: s}
	walk(r, file.Docs[0].Body)
	return r.Err
}

// tokens splits a text into tokens after checking its limits.
func (s Source) tokens(text []byte, l Limits) (token.Tokens, error) {
	if len(text) > l.Bytes {
		return nil, fmt.Errorf("%s %s: %d bytes; the maximum is %d", s.Kind, s.Name, len(text), l.Bytes)
	}
	if n := bytes.Count(text, []byte{'\n'}); n > l.Lines {
		return nil, fmt.Errorf("%s %s: %d lines; the maximum is %d", s.Kind, s.Name, n, l.Lines)
	}
	tokens := lexer.Tokenize(string(text))
	if len(tokens) > l.Tokens {
		return nil, fmt.Errorf("%s %s: %d tokens; the maximum is %d", s.Kind, s.Name, len(tokens), l.Tokens)
	}
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(0, depth-1)
		}
		if depth > maxDepth {
			return nil, s.Errorf(Pos{t.Position.Line, t.Position.Column},
				"brackets are nested too deep; the maximum is %d", maxDepth)
		}
	}
	return tokens, nil
}

// syntax rewrites an error of the YAML library: with its place, and without the picture of the
// text.
func (s Source) syntax(err error) error {
	var placed interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &placed) && placed.GetToken() != nil && placed.GetToken().Position != nil {
		p := placed.GetToken().Position
		return s.Errorf(Pos{p.Line, p.Column}, "not YAML: %s", placed.GetMessage())
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("%s %s: not YAML: %s", s.Kind, s.Name, first)
}

// Fail reports an error at a node, unless there is one already.
func (r *Reader) Fail(n ast.Node, format string, args ...any) {
	r.FailAt(PosOf(n), format, args...)
}

// FailAt reports an error at a place, unless there is one already.
func (r *Reader) FailAt(p Pos, format string, args ...any) {
	if r.Err == nil {
		r.Err = r.Errorf(p, format, args...)
	}
}

// Fields calls field for each key of a mapping. A key that is not in known is an error, and so is a
// repeated key. If known is nil, all keys are allowed.
func (r *Reader) Fields(
	n ast.Node, what string, known []string, field func(key string, keyNode, value ast.Node),
) (seen map[string]bool) {
	seen = map[string]bool{}
	m, ok := n.(ast.MapNode)
	if !ok {
		r.Fail(n, "%s must be a mapping with the keys %s", what, strings.Join(known, ", "))
		return seen
	}
	for it := m.MapRange(); it.Next() && r.Err == nil; {
		keyNode := it.Key()
		key := keyNode.String()
		if s, ok := keyNode.(*ast.StringNode); ok {
			key = s.Value
		}
		switch {
		case known != nil && !slices.Contains(known, key):
			r.Fail(keyNode, "%s has no key %q%s", what, Clip(key), OrNearest(key, known))
		case seen[key]:
			r.Fail(keyNode, "%s has the key %q twice; remove one", what, Clip(key))
		default:
			seen[key] = true
			field(key, keyNode, it.Value())
		}
	}
	return seen
}

// Number reads a number from lo to hi, and a whole one if whole is set.
func (r *Reader) Number(n ast.Node, what string, lo, hi float64, whole bool) float64 {
	x, ok := Number(n)
	if !ok || x < lo || x > hi || whole && x != math.Trunc(x) {
		kind := "a number"
		if whole {
			kind = "a whole number"
		}
		if lo == hi {
			r.Fail(n, "%s must be %g", what, lo)
		}
		r.Fail(n, "%s must be %s from %g to %g", what, kind, lo, hi)
	}
	return x
}

// List calls one for each item of a list with at most so many items. List stops at the first error.
func (r *Reader) List(n ast.Node, what string, most int, one func(ast.Node)) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.Fail(n, "%s must be a list", what)
		return
	}
	if len(s.Values) > most {
		r.Fail(n, "%d %s; the maximum is %d", len(s.Values), what, most)
		return
	}
	for _, v := range s.Values {
		if r.Err == nil {
			one(v)
		}
	}
}

// Bool reads true or false.
func (r *Reader) Bool(n ast.Node, what string) bool {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		r.Fail(n, "%s must be true or false", what)
		return false
	}
	return b.Value
}

// Word reads a scalar that is text.
func (r *Reader) Word(n ast.Node, what string) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	r.Fail(n, "%s must be a word", what)
	return ""
}

// Number returns the value of a finite number.
func Number(n ast.Node) (x float64, ok bool) {
	switch v := n.(type) {
	case *ast.IntegerNode:
		switch i := v.Value.(type) {
		case int64:
			x = float64(i)
		case uint64:
			x = float64(i)
		default:
			return 0, false
		}
	case *ast.FloatNode:
		x = v.Value
	case *ast.StringNode: // the YAML library reads 1e3 as a word
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
