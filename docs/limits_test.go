package docs

import (
	"bytes"
	"go/ast"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// Limits beside those of TestSizes. Tests and generated code do not count as lines of a package.
const (
	maxPackage = 2000
	maxFields  = 30
	maxWidth   = 100 // columns of a comment or of a line of markdown; a tab counts as one
)

// A package above the limit holds more than one subject.
func TestPackageSizes(t *testing.T) {
	for _, p := range packages(t) {
		lines := 0
		for _, s := range sources(t, p, p.code()) {
			lines += s.lines
		}
		if lines > maxPackage {
			t.Errorf("%s has %d lines without tests; the most are %d: move a subject to a package of its own",
				p.path(), lines, maxPackage)
		}
	}
}

// A struct above the limit holds more than one concern.
func TestStructSizes(t *testing.T) {
	for _, p := range packages(t) {
		for _, s := range sources(t, p, p.code()) {
			ast.Inspect(s.File, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				if st, ok := spec.Type.(*ast.StructType); ok && fieldCount(st) > maxFields {
					t.Errorf("%s: struct %s has %d fields; the most are %d: group those of one concern",
						s.fset.Position(spec.Pos()), spec.Name.Name, fieldCount(st), maxFields)
				}
				return true
			})
		}
	}
}

// fieldCount counts names; an embedded field is one.
func fieldCount(st *ast.StructType) (n int) {
	for _, f := range st.Fields.List {
		n += max(1, len(f.Names))
	}
	return n
}

// Comments and prose fit beside code on a screen. Tables, code blocks and lines with a long
// address are exempt.
func TestWidth(t *testing.T) {
	address := regexp.MustCompile(`\S{60}`)
	for name, text := range files(t, `\.(go|md)$`) {
		lines := prose(name, text)
		for _, l := range lines {
			if utf8.RuneCountInString(l.raw) > maxWidth && !address.MatchString(l.raw) {
				t.Errorf("%s:%d has %d columns; the most are %d: wrap it", name, l.number, utf8.RuneCountInString(l.raw), maxWidth)
			}
		}
	}
}

// Sentences begin with their noun. These words begin a sentence without one.
var headless = regexp.MustCompile(`(^|[.:;!?] )(Who|What|Whose|Whom|That|Of)( [a-z'/]+)+`)

// The first words of a sentence name what it is about. Questions are allowed.
func TestSentences(t *testing.T) {
	for name, text := range files(t, `\.(go|md)$`) {
		for _, l := range prose(name, text) {
			if strings.HasPrefix(l.text, "Of reports ") || strings.HasPrefix(l.text, "Of tells ") {
				continue // methods of that name
			}
			if m := headless.FindString(l.text); m != "" && !strings.Contains(l.text, "?") {
				t.Errorf("%s:%d: %q begins without its noun: name the thing first, then say what it does", name, l.number, m)
			}
		}
	}
}

// proseLine is a line of markdown, or a comment line of Go.
type proseLine struct {
	number    int
	raw, text string
	begins    bool // the line before it ends a sentence, so that its first word begins one
}

var comment = regexp.MustCompile(`^\s*// ?`)

// prose lists the lines of a file that are sentences: no tables, no code, no generated file.
func prose(name, text string) (lines []proseLine) {
	code := false
	ended := true
	if bytes.HasPrefix([]byte(text), []byte("// Code generated")) {
		return nil
	}
	number := 0
	for raw := range strings.Lines(text) {
		raw = strings.TrimRight(raw, "\n")
		number++
		line := strings.TrimSpace(raw)
		if strings.HasSuffix(name, ".go") {
			mark := comment.FindString(raw)
			if mark == "" || strings.HasPrefix(line, "//go:") || strings.HasPrefix(line, "//\t") {
				ended = true
				continue
			}
			line = strings.TrimPrefix(raw, mark)
		} else {
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if code || strings.HasPrefix(line, "|") || strings.HasPrefix(raw, "    ") || strings.HasPrefix(line, "```") || strings.HasPrefix(line, "<") {
				ended = true
				continue
			}
			line = strings.TrimLeft(line, "#*- >")
		}
		lines = append(lines, proseLine{number, raw, inline.ReplaceAllString(line, "x"), ended})
		ended = line == "" || strings.HasSuffix(line, ".") || strings.HasSuffix(line, ":")
	}
	return lines
}
