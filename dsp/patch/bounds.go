package patch

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// maxLines and maxTokens bound the YAML library's work, which grows with the square of both and
// with the depth of its recursion: without them 60 kB of text can take minutes or the whole stack.
// The largest patch that the other limits allow needs about half.
const (
	maxLines  = 8192
	maxTokens = 32768
	maxDepth  = 16 // of brackets
)

// tokenize splits a text of bounded size into its words and signs.
func tokenize(name string, text []byte) (token.Tokens, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("patch %s: %d bytes; the most are %d", name, len(text), MaxText)
	}
	if n := bytes.Count(text, []byte{'\n'}); n > maxLines {
		return nil, fmt.Errorf("patch %s: %d lines; the most are %d", name, n, maxLines)
	}
	tokens := lexer.Tokenize(string(text))
	if len(tokens) > maxTokens {
		return nil, fmt.Errorf("patch %s: %d words and signs; the most are %d", name, len(tokens), maxTokens)
	}
	depth := 0
	for _, tk := range tokens {
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(0, depth-1)
		}
		if depth > maxDepth {
			return nil, at(name, Pos{tk.Position.Line, tk.Position.Column}, "more than %d brackets deep", maxDepth)
		}
	}
	return tokens, nil
}

// syntax is the YAML library's error, with its place in our form and without the picture that it
// draws below it.
func syntax(name string, err error) error {
	var placed interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &placed) && placed.GetToken() != nil && placed.GetToken().Position != nil {
		p := placed.GetToken().Position
		return at(name, Pos{p.Line, p.Column}, "not YAML: %s", placed.GetMessage())
	}
	first, _, _ := bytes.Cut([]byte(err.Error()), []byte{'\n'})
	return fmt.Errorf("patch %s: not YAML: %s", name, first)
}
