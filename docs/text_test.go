package docs

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// files are the text files of the repository whose name the pattern matches, by their path from
// the root.
func files(t *testing.T, pattern string) map[string]string {
	t.Helper()
	all, err := readFiles()
	if err != nil {
		t.Fatal(err)
	}
	name, some := regexp.MustCompile(pattern), map[string]string{}
	for path, text := range all {
		if name.MatchString(path) {
			some[path] = text
		}
	}
	if len(some) == 0 {
		t.Fatalf("no file is named like %s", pattern)
	}
	return some
}

// maxText is the size of a file above which it is a recording or the like.
const maxText = 1 << 20

// readFiles reads all text files but what is built and what git keeps.
var readFiles = sync.OnceValues(func() (map[string]string, error) {
	texts := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin"):
			return filepath.SkipDir
		case d.Name() == ".git", !d.Type().IsRegular(): // in a second worktree it is a file
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > maxText {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if !bytes.Contains(b, []byte{0}) {
			texts[filepath.ToSlash(rel)] = string(b)
		}
		return err
	})
	return texts, err
})

var (
	fence  = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	inline = regexp.MustCompile("`([^`\n]+)`")
)

// Every relative link leads to a file, and to a heading if it names one.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|(?m:^\[[^\]]+\]:\s*(\S+))`)
	documents := files(t, `\.md$`)
	for name, text := range documents {
		prose := inline.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			u, err := url.Parse(m[1] + m[2])
			if err != nil {
				t.Errorf("%s: link %s: %v", name, m[0], err)
				continue
			}
			if u.IsAbs() {
				continue
			}
			target := name
			if u.Path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), u.Path))
			}
			if !filepath.IsLocal(target) {
				t.Errorf("%s: %s leads out of the repository", name, m[0])
			} else if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %s leads nowhere", name, m[0])
			} else if u.Fragment != "" && !headings(documents[target])[u.Fragment] {
				t.Errorf("%s: %s: %s has no such heading", name, m[0], target)
			}
		}
	}
}

// headings are the anchors of a document, as code hosts make them from its headings.
func headings(text string) map[string]bool {
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ +(.+)$`).FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		kept := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		anchors[strings.ReplaceAll(kept, " ", "-")] = true
	}
	return anchors
}

// Documents name only existing tests, files, folders and tasks in code style.
func TestNames(t *testing.T) {
	tests := matches(files(t, `_test\.go$`), `(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	tasks := matches(files(t, `^Taskfile\.yml$`), `(?m)^  ([a-z][\w:-]*):$`)
	test := regexp.MustCompile(`^((?:Test|Benchmark|Fuzz)[A-Z]\w+)(/\w+)*$`)
	path := regexp.MustCompile(`^[\w.-]+(/[\w.-]+)+$`)
	for name, text := range files(t, `\.md$`) {
		for _, m := range inline.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if n := test.FindStringSubmatch(m[1]); n != nil && !tests[n[1]] {
				t.Errorf("%s names %s, which is no test", name, n[1])
			}
			top, _, _ := strings.Cut(m[1], "/")
			if dir, err := os.Stat(filepath.Join(root, top)); !path.MatchString(m[1]) || top == "bin" || err != nil || !dir.IsDir() {
				continue // not one of our paths
			}
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\./task ([a-z][\w:-]*)`).FindAllStringSubmatch(text, -1) {
			if !tasks[m[1]] {
				t.Errorf("%s names ./task %s, which the Taskfile has not", name, m[1])
			}
		}
	}
}

// matches collects what a pattern's group matches in any of the texts.
func matches(texts map[string]string, pattern string) map[string]bool {
	found := map[string]bool{}
	for _, text := range texts {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			found[m[1]] = true
		}
	}
	return found
}

// No file tells on which machine or with which assistant it was written. One letter of each word is
// in brackets, so that the pattern does not match itself.
func TestPrivate(t *testing.T) {
	for what, pattern := range map[string]string{
		"a machine's path":    `(^|[^\w.$}/-])/([w]ork|[r]oot|[h]ome|[U]sers)/\w`,
		"an assistant's name": `(?i)\b([c]laude|[a]nthropic|[o]penai|[c]hatgpt|[c]opilot|[c]odex|[l]lm)\b|\bA[I]\b`,
	} {
		found := regexp.MustCompile(`(?m)` + pattern)
		for name, text := range files(t, `.`) {
			if at := found.FindStringIndex(text); at != nil {
				line := 1 + strings.Count(text[:at[0]], "\n")
				t.Errorf("%s:%d has %s: %q", name, line, what, text[at[0]:at[1]])
			}
		}
	}
}
