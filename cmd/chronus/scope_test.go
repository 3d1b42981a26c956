package main

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/cmd/chronus/internal/scope"
)

// The scope shows a signal at any place of the patch, bit for bit, and does not disturb the engine.
func TestScope(t *testing.T) {
	e := up(t, "--backend", "null", "--lead", "32")
	stop := e.taping()
	e.tell("/engine/freq", float32(1000))
	e.tell("/gate/adsr1", "on")
	dir := t.TempDir()
	show := func(args ...string) (out string) {
		t.Helper()
		out, errOut, code := chronus(append([]string{"scope", "--runtime-dir", e.dir}, args...)...)
		if code != 0 {
			t.Fatalf("%v: %s", args, errOut)
		}
		return out
	}
	file := filepath.Join(dir, "sine.wav")
	out := show("sine1", "--for", "1500ms", "--every", "100ms", "--json", "-o", file) // a tape may begin a second ago
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last scope.Line
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || len(lines) < 14 || len(last.Channels) != 1 {
		t.Fatalf("%v, %d lines: %s", err, len(lines), out)
	}
	if c := last.Channels[0]; math.Abs(c.Peak-0.5) > 0.001 || math.Abs(c.RMS-0.5/math.Sqrt2) > 0.001 || math.Abs(c.Mean) > 0.001 {
		t.Errorf("a sine of 0.5: %+v", c)
	}
	if channels, x := readWAV(t, file); channels != 1 || len(x) < 1500*48 || math.Abs(float64(slices.Max(x))-0.5) > 0.001 {
		t.Errorf("%d channels, %d samples, peak %g in the file", channels, len(x), slices.Max(x))
	}
	if out := show("out", "--for", "300ms", "--every", "200ms"); strings.Count(out, "peak") != 2 || !strings.ContainsRune(out, scope.Bars[len(scope.Bars)-1]) && !strings.Contains(out, "-inf") {
		t.Error(out)
	}
	for _, tt := range []struct{ signal, want string }{{"sine2", `no node "sine2"; did you mean sine1?`}, {"sine1.outt", "did you mean out?"}} {
		if _, errOut, code := chronus("scope", "--runtime-dir", e.dir, tt.signal, "--for", "1s"); code != 1 || !strings.Contains(errOut, tt.want) {
			t.Errorf("%s: code %d, %s", tt.signal, code, errOut)
		}
	}
	if v, err := verifyBytes(stop()); err != nil || v.Changed != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}
