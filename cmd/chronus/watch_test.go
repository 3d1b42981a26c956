package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A patch file that is saved changes what plays, and nothing else does; what is wrong with it is said, and the music plays on.
func TestWatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "machine.yaml")
	text := musicPatch
	save := func() {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save()
	e := up(t, "--patch", path, "--backend", "null", "--lead", "64", "--guard", "32")
	stop := e.taping()
	for _, tt := range []struct{ old, new, want string }{
		{"cutoff: 300", "cutoff: 500", "machine.yaml: 1 changes"},
		{"tempo: 140", "tempo: 90", "machine.yaml: 1 changes"},
		{"X..x ..x.", "X.xx ..x.", "machine.yaml: 1 changes"},
		{"cutoff: 500", "cutoff: 50000", "cutoff is 50000, it must be"},
		{"cutoff: 50000", "cutoff: 700", "machine.yaml: 1 changes"},
		{"pan}", "pan}\n  - {id: more1, type: pan}", "change only with a new start"},
	} {
		before := len(e.log.String())
		text = strings.Replace(text, tt.old, tt.new, 1)
		save()
		for began := time.Now(); !strings.Contains(e.log.String()[before:], tt.want); time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%s for %s: %q is not said: %s", tt.new, tt.old, tt.want, e.log.String()[before:])
			}
		}
	}
	tape := string(stop())
	for _, want := range []string{`"Value":500`, `"Value":90`, `"Value":1`, `"Value":700`} {
		if !strings.Contains(tape, want) {
			t.Errorf("%s is not on the tape", want)
		}
	}
	if strings.Contains(tape, "50000") {
		t.Error("a value out of range was taken")
	}
	// An engine after this one is started with the file as it is now, without what was refused.
	e.murder()
	text = strings.Replace(text, "\n  - {id: more1, type: pan}", "", 1)
	save()
	upIn(t, e.dir, "--patch", path, "--backend", "null", "--lead", "64", "--guard", "32").redundancy()
}
