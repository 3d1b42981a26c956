package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Saving a patch file changes what plays. An invalid file is reported, and the music plays on.
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
		{"cutoff: 300", "cutoff: 500", "machine.yaml plays from frame"},
		{"tempo: 140", "tempo: 90", "machine.yaml plays from frame"},
		{"X..x ..x.", "X.xx ..x.", "machine.yaml plays from frame"},
		{"cutoff: 500", "cutoff: 50000", "cutoff is 50000, it must be"},
		{"cutoff: 50000", "cutoff: 700", "machine.yaml plays from frame"},
		{"pan}", "pan}\n  - {id: more1, type: pan}", "machine.yaml plays from frame"},
		{"room1 > out", "room1 > more1 > out", "machine.yaml plays from frame"},
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
	if v, err := verifyBytes([]byte(tape)); err != nil || v.Changed > 0 || v.Blocks == 0 {
		t.Errorf("%+v, %v", v, err)
	}
	for _, want := range []string{"cutoff: 500", "tempo: 90", "X.xx ..x.", "cutoff: 700", `room1 \u003e more1 \u003e out`} {
		if !strings.Contains(tape, want) {
			t.Errorf("%s is not on the tape", want)
		}
	}
	if strings.Contains(tape, "50000") {
		t.Error("a value out of range was taken")
	}
	// The next engine starts with the file as it is now.
	e.murder()
	upIn(t, e.dir, "--patch", path, "--backend", "null", "--lead", "64", "--guard", "32").redundancy()
}
