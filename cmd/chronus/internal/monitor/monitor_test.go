package monitor_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/cmd/chronus/internal/monitor"
)

// ParseOrder reads every order, and says which there are.
func TestParseOrder(t *testing.T) {
	patch := filepath.Join(t.TempDir(), "patch.yaml")
	if err := os.WriteFile(patch, []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ text, want string }{
		{"flip", ""}, {"mute", ""}, {"unmute", ""}, {"patch=" + patch, ""}, {"send=/gate/adsr1,on", ""},
		{"dance", `unknown order "dance": must be flip, mute, unmute, patch=FILE or send=/ADDRESS,ARG`},
		{"patch=" + patch + "x", "patch: open " + patch + "x: no such file"},
		{"send=/x,i:abc", "send: "},
	} {
		_, err := monitor.ParseOrder(tt.text)
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.text, err, tt.want)
		}
	}
}

// The table has a line for each engine. An engine that was never heard of has no numbers.
func TestView(t *testing.T) {
	var out bytes.Buffer
	v := monitor.New(&out, false)
	v.Add("one", "left")
	v.Add("two", "right")
	v.Observe("one", remote.News{Report: &pb.Report{Status: &pb.Status{
		Playing: true, Redundant: true, ActiveSlot: 1, Failovers: 3, Backend: "null", Version: "v1",
		Workers: []*pb.Worker{{State: "ready"}, {State: "joining"}},
	}}})
	if err := v.Show(true); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	fields := func(name string) string {
		for _, l := range lines {
			if strings.HasPrefix(l, name+" ") {
				return strings.Join(strings.Fields(l), " ")
			}
		}
		return ""
	}
	if got, want := fields("one"), "one left plays 1/2 worker 1 3 0 0 0.000 0% null v1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := fields("two"), "two right unreachable"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
