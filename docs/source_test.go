package docs

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The most lines of a file and of a function, tests included, generated code aside.
const (
	maxFile = 400
	maxFunc = 70
)

// source is a parsed file.
type source struct {
	*ast.File
	name  string // from the root
	lines int
	fset  *token.FileSet
}

// sources parses the named files of a package. Generated ones are left out.
func sources(t *testing.T, p listed, names []string) (list []source) {
	t.Helper()
	for _, name := range names {
		if filepath.Ext(name) != ".go" {
			continue // go list ignores C files too
		}
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		s := source{name: filepath.ToSlash(filepath.Join(p.path(), name)), lines: bytes.Count(text, []byte("\n")), fset: token.NewFileSet()}
		if s.File, err = parser.ParseFile(s.fset, s.name, text, parser.ParseComments); err != nil {
			t.Fatal(err)
		}
		if !ast.IsGenerated(s.File) {
			list = append(list, s)
		}
	}
	return list
}

// Each package has just one comment, on one of its files, and a name that says what it is for.
func TestPackageComments(t *testing.T) {
	vague := []string{"util", "utils", "common", "core", "types", "helpers", "misc", "base"}
	for _, p := range packages(t) {
		var with []string
		for _, s := range sources(t, p, append(p.code(), p.TestGoFiles...)) {
			if s.Doc != nil && strings.TrimSpace(s.Doc.Text()) != "" {
				with = append(with, s.name)
			}
		}
		if len(with) != 1 {
			t.Errorf("%s has %d package comments %v; it should have one, in doc.go or its main file", p.ImportPath, len(with), with)
		}
		if slices.Contains(vague, p.Name) {
			t.Errorf("%s: %q says nothing of what the package is for", p.ImportPath, p.Name)
		}
	}
}

// No file and no function is too long to be read at once.
func TestSizes(t *testing.T) {
	for _, p := range packages(t) {
		for _, s := range sources(t, p, slices.Concat(p.code(), p.tests())) {
			if s.lines > maxFile {
				t.Errorf("%s has %d lines; the most are %d: split it by duty", s.name, s.lines, maxFile)
			}
			for _, d := range s.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1; n > maxFunc {
					t.Errorf("%s: %s has %d lines; the most are %d", s.name, f.Name.Name, n, maxFunc)
				}
			}
		}
	}
}

// Every exported type, function, method, constant and variable has a comment of its own or its
// group's. The comment of an interface covers the methods of the types in its package that
// implement it.
func TestComments(t *testing.T) {
	for _, p := range packages(t) {
		files := sources(t, p, p.code())
		covered := implementations(files)
		for _, s := range files {
			for _, d := range s.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && covered[receiver(f)+"."+f.Name.Name] {
					continue
				}
				for _, name := range uncommented(d) {
					t.Errorf("%s: %s is exported and has no comment", s.name, name)
				}
			}
		}
	}
}

// implementations names, as Type.Method, the methods by which types implement a commented
// interface of the same package. It compares names only: the compiler checks signatures.
func implementations(files []source) map[string]bool {
	methods, covered := map[string]map[string]bool{}, map[string]bool{}
	var interfaces [][]string
	for _, s := range files {
		for _, d := range s.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
				if methods[receiver(f)] == nil {
					methods[receiver(f)] = map[string]bool{}
				}
				methods[receiver(f)][f.Name.Name] = true
			}
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && (g.Doc != nil || t.Doc != nil) && t.Name.IsExported() {
					if i, ok := t.Type.(*ast.InterfaceType); ok {
						interfaces = append(interfaces, methodNames(i))
					}
				}
			}
		}
	}
	for _, names := range interfaces {
		for t, has := range methods {
			if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return !has[name] }) {
				continue
			}
			for _, name := range names {
				covered[t+"."+name] = true
			}
		}
	}
	return covered
}

// methodNames lists the methods of an interface. It knows fmt.Stringer as an embedded interface and
// gives up on others.
func methodNames(i *ast.InterfaceType) (names []string) {
	for _, f := range i.Methods.List {
		switch t := f.Type.(type) {
		case *ast.FuncType:
			names = append(names, f.Names[0].Name)
		case *ast.SelectorExpr:
			if t.Sel.Name != "Stringer" {
				return nil
			}
			names = append(names, "String")
		default:
			return nil
		}
	}
	return names
}

// uncommented lists the exported names that a declaration leaves without comment. Methods of
// unexported types are seen by nobody outside.
func uncommented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil && s.Name.IsExported() {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, exported(s.Names)...)
				}
			}
		}
	}
	return names
}

// receiver names the type that a method belongs to.
func receiver(d *ast.FuncDecl) (name string) {
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}

func exported(ids []*ast.Ident) (names []string) {
	for _, id := range ids {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	return names
}

// The words that glossary.md excludes are in no declared name, exported or not.
func TestGlossary(t *testing.T) {
	text, err := os.ReadFile("glossary.md")
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?s)No declared name contains the words(.*?)\.`).FindSubmatch(text)
	if rule == nil {
		t.Fatal(`glossary.md has no sentence that begins "No declared name contains the words"`)
	}
	excluded := map[string]bool{}
	for _, w := range regexp.MustCompile("`([a-z]+)`").FindAllSubmatch(rule[1], -1) {
		excluded[string(w[1])] = true
	}
	if len(excluded) < 5 {
		t.Fatalf("glossary.md excludes %d words; there were more", len(excluded))
	}
	for _, p := range packages(t) {
		for _, s := range sources(t, p, p.code()) {
			for _, name := range declared(s.File) {
				for _, w := range nameWords(name) {
					if excluded[w] {
						t.Errorf("%s: %s contains %q, for which the glossary has another word", s.name, name, w)
					}
				}
			}
		}
	}
}

// nameWords splits a Go name into its words, in lower case: newRigLock is new, rig, lock.
func nameWords(name string) (words []string) {
	for _, w := range regexp.MustCompile(`[A-Z]+[a-z0-9]*|[a-z0-9]+`).FindAllString(name, -1) {
		words = append(words, strings.ToLower(w))
	}
	return words
}

// declared lists the names that a file declares, with fields, methods and parameters.
func declared(f *ast.File) (names []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names = append(names, n.Name.Name)
		case *ast.TypeSpec:
			names = append(names, n.Name.Name)
		case *ast.ValueSpec:
			names = append(names, identNames(n.Names)...)
		case *ast.Field:
			names = append(names, identNames(n.Names)...)
		}
		return true
	})
	return names
}

func identNames(ids []*ast.Ident) (names []string) {
	for _, id := range ids {
		names = append(names, id.Name)
	}
	return names
}

// Sound is computed without functions of package math that give other bits on other processors. A
// function whose name ends in Response is for tests and displays.
func TestExactMath(t *testing.T) {
	inexact := regexp.MustCompile(`^(Exp|Exp2|Expm1|Log|Log2|Log10|Log1p|Pow|Sin|Cos|Sincos|Tan|Asin|Acos|Atan|Atan2|Sinh|Cosh|Tanh|Hypot|Cbrt|Gamma|FMA)$`)
	sounds := regexp.MustCompile(`^dsp($|/module(/|$)|/(patch|sample|sequencer|stream|worker)$|/stream/internal/(limiter|voicing)$|/internal/(approx|delay|wave|ramped|signal|random)$)`)
	checked := 0
	for _, p := range packages(t) {
		if !sounds.MatchString(p.path()) {
			continue
		}
		checked++
		for _, s := range sources(t, p, p.code()) {
			for _, d := range s.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && strings.HasSuffix(f.Name.Name, "Response") {
					continue
				}
				ast.Inspect(d, func(n ast.Node) bool {
					sel, ok := n.(*ast.SelectorExpr)
					if !ok {
						return true
					}
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == "math" && inexact.MatchString(sel.Sel.Name) {
						t.Errorf("%s: math.%s; dsp/internal/approx has what gives the same bits everywhere", s.fset.Position(sel.Pos()), sel.Sel.Name)
					}
					return true
				})
			}
		}
	}
	if checked < 18 {
		t.Errorf("%d packages that sound were checked; there are 18", checked)
	}
}
