package timing_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/dsp/worker"
)

const (
	page  = "../../../docs/operating.md"
	begin = "<!-- timers: ./task docs writes this table -->\n"
	end   = "<!-- end of timers -->\n"
)

// docs/operating.md has the table of timers. UPDATE_DOCS=1 writes it.
func TestTimersTable(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	had, after, also := strings.Cut(rest, end)
	if !ok || !also {
		t.Fatalf("%s lacks the marks %q and %q", page, begin, end)
	}
	want := table()
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if had != want {
		t.Errorf("%s does not have the timers of the code: run ./task docs", page)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| timer | after | then | process |\n|---|---|---|---|\n")
	for _, r := range timing.Default().Rows() {
		fmt.Fprintf(&b, "| %s | %v | %s | engine |\n", r.Name, r.After, r.Doc)
	}
	for _, r := range worker.Timers() {
		fmt.Fprintf(&b, "| %s | %v | %s | worker |\n", r.Name, r.After, r.Doc)
	}
	return b.String()
}

// Each timer is set and documented.
func TestEveryTimerIsDocumented(t *testing.T) {
	for _, r := range timing.Default().Rows() {
		if r.After <= 0 || r.Doc == "" {
			t.Errorf("%s: %v, %q", r.Name, r.After, r.Doc)
		}
	}
}
