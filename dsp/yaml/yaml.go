// Package yaml reads the texts that people write, patches, maps of controllers and chaos plans, and says where in them something is wrong. It is the
// tree of goccy/go-yaml with bounds before it, and the words that all of them have. It knows nothing of sound.
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

// Pos is a place in a text, from 1.
type Pos struct{ Line, Column int }

// PosOf is where a node of the tree is.
func PosOf(n ast.Node) Pos {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Pos{1, 1}
	}
	p := n.GetToken().Position
	return Pos{p.Line, p.Column}
}

// Limits bound a text, since the YAML library's work grows with the square of lines and words, and with the depth of its recursion: 60 kB could
// take minutes or the whole stack. Brackets may be maxDepth deep.
type Limits struct{ Bytes, Lines, Tokens int }

const maxDepth = 16

// ErrEmpty: there is nothing in a text.
var ErrEmpty = errors.New("no YAML document; there must be one")

// Source is what a text is, like "patch", and its name: messages begin with them.
type Source struct{ Kind, Name string }

// Errorf is an error at a place.
func (s Source) Errorf(p Pos, format string, args ...any) error {
	return fmt.Errorf("%s %s:%d:%d: "+format, append([]any{s.Kind, s.Name, p.Line, p.Column}, args...)...)
}

// Reader walks the tree and keeps the first error.
type Reader struct {
	Source
	Err error
}

// Read gives walk the tree of a text that holds one document. What walk says by the Reader is the error.
func (s Source) Read(text []byte, l Limits, walk func(r *Reader, body ast.Node)) (err error) {
	defer func() {
		if x := recover(); x != nil { // the YAML library gives up on some input by panicking
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

// tokens are the words and signs of a text of bounded size.
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
			return nil, s.Errorf(Pos{t.Position.Line, t.Position.Column}, "brackets are nested too deep; the maximum is %d", maxDepth)
		}
	}
	return tokens, nil
}

// syntax is the YAML library's error, with its place in our form and without the picture that it draws below it.
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

// Fail is an error at a node.
func (r *Reader) Fail(n ast.Node, format string, args ...any) {
	r.FailAt(PosOf(n), format, args...)
}

// FailAt is an error at a place.
func (r *Reader) FailAt(p Pos, format string, args ...any) {
	if r.Err == nil {
		r.Err = r.Errorf(p, format, args...)
	}
}

// Fields calls the function of each key of a mapping; keys that are not known (nil: all are), and keys twice, are errors.
func (r *Reader) Fields(n ast.Node, what string, known []string, field func(key string, keyNode, value ast.Node)) (seen map[string]bool) {
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

// Number is a number in a range, where a whole one if it is to be.
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

// List calls one for each item of a list of at most so many. It stops at the first error.
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

// Word is a scalar as text.
func (r *Reader) Word(n ast.Node, what string) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	r.Fail(n, "%s must be a word", what)
	return ""
}

// Number is a finite scalar.
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
