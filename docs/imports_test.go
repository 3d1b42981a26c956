package docs

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The import table of architecture.md and the drawing under it are what the packages import.
// UPDATE_DOCS=1 writes both.
func TestImportTable(t *testing.T) {
	imports := imports(t)
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	now := replaceFence(t, text, "imports", importTable(imports))
	now = replaceFence(t, now, "mermaid", importDrawing(imports))
	if bytes.Equal(text, now) {
		return
	}
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile("architecture.md", now, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	said := strings.Split(string(text), "\n")
	for line := range strings.Lines(string(now)) {
		if line = strings.TrimRight(line, "\n"); !slices.Contains(said, line) {
			t.Errorf("architecture.md lacks %q", line)
		}
	}
	t.Error("the imports in architecture.md are not those of the code: look whether the code is right, then run ./task docs")
}

// imports has, for each package with code, the packages of this module that it imports, sorted.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	table := map[string][]string{}
	for _, p := range packages(t) {
		if len(p.code()) == 0 {
			continue // tests alone
		}
		ours := []string{}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, modulePath+"/") {
				ours = append(ours, short(i))
			}
		}
		slices.Sort(ours)
		table[p.path()] = ours
	}
	return table
}

// replaceFence puts a text into the only block that begins with ```name.
func replaceFence(t *testing.T, text []byte, name, content string) []byte {
	t.Helper()
	block := regexp.MustCompile("(?s)```" + name + "\n.*?```")
	if n := len(block.FindAll(text, -1)); n != 1 {
		t.Fatalf("architecture.md has %d blocks that begin with ```%s; it must have 1", n, name)
	}
	return block.ReplaceAllLiteral(text, []byte("```"+name+"\n"+content+"```"))
}

func importTable(imports map[string][]string) string {
	var b strings.Builder
	for _, from := range sorted(imports) {
		fmt.Fprintln(&b, strings.TrimRight(from+" -> "+strings.Join(imports[from], " "), " "))
	}
	return b.String()
}

// importDrawing leaves out the examples, and each arrow that follows from others.
func importDrawing(imports map[string][]string) string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	for _, top := range []string{"cmd", "actors", "osc", "dsp", "audio", "shm"} {
		fmt.Fprintf(&b, "  subgraph %s_\n", top)
		for _, p := range sorted(imports) {
			if folder, _, _ := strings.Cut(p, "/"); folder == top && !isExample(p) {
				fmt.Fprintf(&b, "    %s[%s]\n", node(p), p)
			}
		}
		b.WriteString("  end\n")
	}
	for _, from := range sorted(imports) {
		for _, to := range imports[from] {
			if !isExample(from) && !follows(imports, from, to) {
				fmt.Fprintf(&b, "  %s --> %s\n", node(from), node(to))
			}
		}
	}
	return b.String()
}

func isExample(path string) bool { return strings.HasPrefix(path, "cmd/examples/") }

func node(path string) string { return strings.ReplaceAll(path, "/", "_") }

func sorted(imports map[string][]string) (paths []string) {
	for p := range imports {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

// follows tells whether another import of from reaches to.
func follows(imports map[string][]string, from, to string) bool {
	return slices.ContainsFunc(imports[from], func(by string) bool { return by != to && reaches(imports, by, to) })
}

// reaches ends, since Go allows no cycle.
func reaches(imports map[string][]string, from, to string) bool {
	return slices.ContainsFunc(imports[from], func(by string) bool { return by == to || reaches(imports, by, to) })
}
