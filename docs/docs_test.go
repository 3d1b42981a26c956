// Package docs holds no code: its test keeps the documents true.
package docs

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = ".."

const modulePath = "github.com/music-chronus/chronus"

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Dir        string
	Name       string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
}

func packages(t *testing.T) (list []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,GoFiles,CgoFiles,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles)+len(p.CgoFiles) > 0 {
			list = append(list, p)
		}
	}
	if len(list) < 10 {
		t.Fatalf("only %d packages", len(list))
	}
	return list
}

func short(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, modulePath), "/") }

// The import table of architecture.md is what the packages import.
func TestImportTable(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```imports\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("architecture.md has no import table")
	}
	var want []string
	for _, p := range packages(t) {
		var ours []string
		for _, i := range p.Imports {
			if strings.HasPrefix(i, modulePath+"/") {
				ours = append(ours, short(i))
			}
		}
		slices.Sort(ours)
		want = append(want, strings.TrimSpace(short(p.ImportPath)+" -> "+strings.Join(ours, " ")))
	}
	slices.Sort(want)
	got := strings.Split(strings.TrimSpace(string(block[1])), "\n")
	for i := range got {
		got[i] = strings.TrimSpace(got[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table says\n%s\nthe code says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Some packages are imported in one place only, each for its reason.
func TestExclusiveImports(t *testing.T) {
	for _, rule := range []struct{ path, home, reason string }{
		{"golang.org/x/sys/unix", "shm/sys", "one home for system calls"},
		{"github.com/asynkron/protoactor-go/", "actors", "workers and audio stay small"},
		{"github.com/gordonklaus/portaudio", "audio/portaudio", "an embedder without a device needs no C compiler"},
		{"C", "audio/portaudio", "an embedder without a device needs no C compiler"},
		{"github.com/hypebeast/go-osc/", "osc", "its parser must not see input"},
		{"github.com/alecthomas/kong", "cmd/chronus", "a library has no command line"},
		{"net/http", "actors cmd/chronus", "nothing on the audio path speaks HTTP"},
	} {
		used := false
		for _, p := range packages(t) {
			for _, i := range p.Imports {
				if i != rule.path && (!strings.HasSuffix(rule.path, "/") || !strings.HasPrefix(i, rule.path)) {
					continue
				}
				used = true
				if !slices.Contains(strings.Fields(rule.home), short(p.ImportPath)) {
					t.Errorf("%s imports %s; only %s may: %s", p.ImportPath, i, rule.home, rule.reason)
				}
			}
		}
		if !used {
			t.Errorf("nothing imports %s any more: the rule can go", rule.path)
		}
	}
}

// Each package has one comment, every exported name has one, and no file or package name is out of bounds.
func TestSource(t *testing.T) {
	for _, p := range packages(t) {
		comments := 0
		for _, name := range append(p.GoFiles, p.CgoFiles...) {
			path := filepath.Join(p.Dir, name)
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(src), "\n"); n > 400 {
				t.Errorf("%s has %d lines; the most are 400", path, n)
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil {
				comments++
			}
			for _, d := range f.Decls {
				undocumented(d, func(what string) { t.Errorf("%s: %s has no comment", path, what) })
			}
		}
		if comments != 1 {
			t.Errorf("%s has %d package comments", p.ImportPath, comments)
		}
		if slices.Contains([]string{"util", "common", "core", "types", "helpers"}, p.Name) {
			t.Errorf("%s: a package's name says what it does", p.ImportPath)
		}
	}
}

// undocumented reports the exported names of a declaration that lack a comment. Small methods that
// implement an interface of another package need none.
func undocumented(d ast.Decl, report func(string)) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || receiverExported(d)) {
			report(d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
				report(s.Name.Name)
			}
			if s, ok := s.(*ast.ValueSpec); ok && s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				report(s.Names[0].Name)
			}
		}
	}
}

func receiverExported(d *ast.FuncDecl) bool {
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// Every relative link leads somewhere, and every test that a decision names exists.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	test := regexp.MustCompile("`((?:Test|Benchmark)\\w+)(?:/\\w+)?`")
	tests := testNames(t)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), string(m[1]))); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		for _, m := range test.FindAllSubmatch(text, -1) {
			if !tests[string(m[1])] {
				t.Errorf("%s names %s, which is no test", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark)\w+)\(`)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(src, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// The glossary's words are used: none that it replaces is part of an exported name.
func TestGlossary(t *testing.T) {
	banned := regexp.MustCompile(`(?i)samplerate|primary|backup|leader|follower|heartbeat|dropout`)
	for _, p := range packages(t) {
		for _, name := range append(p.GoFiles, p.CgoFiles...) {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && id.IsExported() && banned.MatchString(id.Name) && id.Obj != nil {
					t.Errorf("%s/%s: %s is not this project's word", p.ImportPath, name, id.Name)
				}
				return true
			})
		}
	}
}
