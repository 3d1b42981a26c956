// Package docs holds no code. Its tests keep the documents true and the source within their rules.
// This file checks the imports, source_test.go and limits_test.go comments, names, sizes and
// prose, text_test.go the references of documents.
package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	root       = ".."
	modulePath = "github.com/music-chronus/chronus"
)

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir, Name                                        string
	GoFiles, CgoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
	Imports, Deps                                                []string
}

// path is the package's folder, from the root.
func (p listed) path() string { return short(p.ImportPath) }

// code is the package's files without its tests. Files of other systems and build tags belong to
// it.
func (p listed) code() []string {
	return slices.DeleteFunc(slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles), func(name string) bool {
		return strings.HasSuffix(name, "_test.go")
	})
}

// tests is the package's test files, those of build tags too.
func (p listed) tests() []string {
	return slices.DeleteFunc(slices.Concat(p.TestGoFiles, p.XTestGoFiles, p.IgnoredGoFiles), func(name string) bool {
		return !strings.HasSuffix(name, "_test.go")
	})
}

func short(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, modulePath), "/")
}

// packages lists every package of the module.
func packages(t *testing.T) []listed {
	t.Helper()
	list, err := listPackages()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Fatalf("go list names %d packages; there are more", len(list))
	}
	return list
}

var listPackages = sync.OnceValues(func() (list []listed, err error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Imports,Deps", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil, fmt.Errorf("go list: %w\n%s", err, exit.Stderr)
	} else if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		list = append(list, p)
	}
	return list, nil
})

// Some packages are imported in one place only, each for its reason.
func TestExclusiveImports(t *testing.T) {
	for _, rule := range []struct {
		path   string // a trailing slash: all below
		homes  []string
		reason string
	}{
		{"golang.org/x/sys/unix", []string{"shm/sys"}, "system calls have one home"},
		{"github.com/asynkron/protoactor-go/", []string{"actors", "actors/cluster", "actors/internal/ask", "actors/internal/subscribers", "actors/internal/supervise", "actors/remote", "cmd/examples/embed", "cmd/examples/generative", "cmd/examples/host", "cmd/examples/module"}, "workers and the audio process stay small and know no actors"},
		{"google.golang.org/grpc/", []string{"actors/remote", "cmd/examples/host"}, "an engine that is not opened to others links no gRPC"},
		{"C", []string{"audio/jack"}, "an embedding program with an output of its own needs no C compiler"},
		{"github.com/gordonklaus/portaudio", []string{"audio/portaudio"}, "it is cgo"},
		{"github.com/hypebeast/go-osc/", []string{"osc"}, "its parser must never see input from the network"},
		{"github.com/goccy/go-yaml/", []string{"cmd/chronus/internal/chaos/plan", "dsp/patch", "dsp/patch/internal/patterntext", "dsp/yaml", "osc/midi"}, "dsp/yaml reads, and patches, chaos plans and MIDI maps walk its tree"},
		{"github.com/alecthomas/kong", []string{"cmd/chronus"}, "a library has no command line"},
		{"gitlab.com/gomidi/midi/", []string{"cmd/chronus/internal/offline", "osc/midi"}, "an engine knows no MIDI"},
		{"github.com/mewkiz/flac", []string{"cmd/chronus/internal/offline", "dsp/sample"}, "one writes it, one reads it"},
		{"net/http", []string{"actors/control", "cmd/chronus/internal/monitor", "osc/query", "osc/server"}, "nothing on the audio path speaks HTTP; osc/server needs it for WebSockets, OSCQuery is HTTP"},
		{"github.com/coder/websocket", []string{"osc/client", "osc/query", "osc/server"}, "a WebSocket carries OSC and OSCQuery and nothing else"},
		{"github.com/hashicorp/mdns", []string{"osc/query"}, "nobody else tells other machines of this one"},
	} {
		unused := slices.Clone(rule.homes)
		for _, p := range packages(t) {
			for _, i := range p.Imports {
				if i != rule.path && !(strings.HasSuffix(rule.path, "/") && strings.HasPrefix(i, rule.path)) {
					continue
				}
				if !slices.Contains(rule.homes, p.path()) {
					t.Errorf("%s imports %s; only %v may: %s", p.path(), i, rule.homes, rule.reason)
				}
				unused = slices.DeleteFunc(unused, func(home string) bool { return home == p.path() })
			}
		}
		if len(unused) > 0 {
			t.Errorf("%v no longer imports %s: the rule names a home too many", unused, rule.path)
		}
	}
}

// Some packages must not reach others, by whatever way.
func TestForbiddenImports(t *testing.T) {
	exempt := map[string]bool{ // true once it was needed
		"dsp/stream sync/atomic":       false, // the probe that names a crash's node
		"dsp/moduletest testing":       false, // laws for other people's tests
		"audio/backendtest testing":    false, // the same for backends
		"osc/internal/osctest testing": false, // packets and helpers of several packages' tests
		// A leaf that only looks at sockets and folders: the engine sets the audio process's environment
		// by it.
		"actors github.com/music-chronus/chronus/audio/soundserver": false,
	}
	pure := regexp.MustCompile(`^dsp($|/module$|/patch$|/sample$|/sequencer$|/stream$|/yaml$|/internal/approx$)`)
	for _, rule := range []struct {
		from   *regexp.Regexp
		to     *regexp.Regexp
		direct bool // as an import of its own; what fmt imports is not its doing
		reason string
	}{
		{regexp.MustCompile(`^actors$`), ours(`dsp/worker|audio`), false, "kinds of process meet in shm and nowhere else"},
		{regexp.MustCompile(`^(actors|actors/remote|actors/fleet|cmd/.*)$`), regexp.MustCompile(`^github\.com/asynkron/protoactor-go/cluster|/actors/cluster$`), false, "a cluster is for those who run one"},
		{regexp.MustCompile(`^actors$`), regexp.MustCompile(`^google\.golang\.org/grpc(/|$)`), false, "an engine that is not opened to others links no gRPC"},
		{regexp.MustCompile(`^dsp/worker$`), ours(`actors|audio`), false, "kinds of process meet in shm and nowhere else"},
		{regexp.MustCompile(`^audio(/|$)`), ours(`actors|dsp|osc`), false, "kinds of process meet in shm and nowhere else"},
		{regexp.MustCompile(`^(osc|osc/admission|shm/sys|dsp)$`), ours(`.+`), false, "it stands alone"},
		{pure, ours(`shm|actors|audio|osc`), false, "what is rendered knows no process"},
		{pure, regexp.MustCompile(`^(os|time|net|log|runtime|sync|syscall|unsafe|math/rand)(/|$)`), true,
			"it is a function of its arguments: no clock, file, goroutine or chance"},
		{regexp.MustCompile(`.`), regexp.MustCompile(`^testing$`), false, "tests are not shipped"},
	} {
		seen := false
		for _, p := range packages(t) {
			seen = seen || rule.from.MatchString(p.path())
			reached := p.Deps
			if rule.direct {
				reached = p.Imports
			}
			for _, i := range reached {
				if !rule.from.MatchString(p.path()) || !rule.to.MatchString(i) {
					continue
				}
				if _, ok := exempt[p.path()+" "+i]; ok {
					exempt[p.path()+" "+i] = true
				} else {
					t.Errorf("%s reaches %s, which it must not: %s", p.path(), i, rule.reason)
				}
			}
		}
		if !seen {
			t.Errorf("no package matches %v: the rule can go", rule.from)
		}
	}
	for what, needed := range exempt {
		if !needed {
			t.Errorf("nothing needs the exemption %q any more", what)
		}
	}
}

// ours matches packages of this module: those named, and all below them.
func ours(paths string) *regexp.Regexp {
	return regexp.MustCompile(`^` + regexp.QuoteMeta(modulePath) + `/(` + paths + `)(/|$)`)
}
