package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos"
	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
)

// steadyEngine has a long lead, so that the load of this machine does not decide the result.
var steadyEngine = []string{"--backend", "null", "--lead", "64", "--guard", "32"}

// readReport reads the files of --report: the report, and how often each class occurs in the
// picture.
func readReport(t *testing.T, dir string) (p chaos.Report, classes map[string]int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	if b, err = os.ReadFile(filepath.Join(dir, "waveform.svg")); err != nil {
		t.Fatal(err)
	}
	return p, countClasses(t, b)
}

func countClasses(t *testing.T, svg []byte) map[string]int {
	t.Helper()
	classes := map[string]int{}
	for dec := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return classes
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if a.Name.Local == "class" {
					classes[a.Value]++
				}
			}
		}
	}
}

// Each kind of fault but engine is injected once into an engine of three workers while notes are
// played. No block is lost, doubled or changed. The report and its picture show each fault.
func TestChaosKinds(t *testing.T) {
	e := up(t, append(steadyEngine, "--replicas", "3")...)
	defer e.notesThrough()()
	dir := t.TempDir()
	file := filepath.Join(dir, "plan.yaml")
	var want []string
	text := "- {at: 100ms, fault: stall, for: 30ms}\n- {fault: stall, for: 2s}\n"
	want = append(want, "stall", "stall")
	for _, k := range plan.KindNames() {
		if k != "engine" && k != "stall" {
			text += fmt.Sprintf("- {after: 20ms, fault: %s}\n", k)
			want = append(want, k)
		}
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errOut, code := chronus("chaos", "--runtime-dir", e.dir, "--plan", file, "--report", dir, "--seed", "1")
	t.Log("\n" + out)
	if code != 0 {
		t.Fatalf("code %d: %s%s\n%s", code, out, errOut, e.log)
	}
	if !strings.Contains(out, fmt.Sprintf("%d faults: 0 lost, 0 doubled, 0 changed; ", len(want))) {
		t.Errorf("the last line is not what it should be:\n%s", out)
	}
	p, classes := readReport(t, dir)
	var got []string
	for i, f := range p.Faults {
		got = append(got, f.Kind)
		if f.N != i+1 || f.RedundantUS <= 0 || i > 0 && f.Block < p.Faults[i-1].Block {
			t.Errorf("%+v", f)
		}
		if slices.Contains([]string{"kill", "term", "segv", "stop"}, f.Kind) && f.FlipUS <= 0 {
			t.Errorf("no flip: %+v", f)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults %v, want %v", got, want)
	}
	if last := p.Faults[len(p.Faults)-1]; p.Compared < last.Block-p.Faults[0].Block || p.Plan != text || p.Seed != 1 || p.Version != 1 {
		t.Errorf("%d blocks compared of %d; plan %q, seed %d, version %d", p.Compared, last.Block, p.Plan, p.Seed, p.Version)
	}
	if classes["fault"] != len(want) || classes["kind"] != len(p.Kinds) || classes["wave"] != 1 || classes["label"] == 0 {
		t.Errorf("the picture has %v; there were %d faults of %d kinds", classes, len(want), len(p.Kinds))
	}
	if classes["concealed"] == 0 {
		t.Error("the audio process was killed, and the picture shows no gap")
	}
}

// Faults at random for a time touch no block, and each is of an allowed kind.
func TestChaosFor(t *testing.T) {
	e := up(t, steadyEngine...)
	defer e.notesThrough()()
	out, errOut, code := chronus("chaos", "--runtime-dir", e.dir, "--for", "3s", "--faults", "kill,standby,malformed", "--pause", "20ms", "--json")
	var p chaos.Report
	if err := json.Unmarshal([]byte(out), &p); err != nil || code != 0 {
		t.Fatalf("%v, code %d: %s%s", err, code, out, errOut)
	}
	if p.Count < 5 || p.Count != len(p.Faults) || p.Seed == 0 || p.Lost+p.Doubled+p.Changed != 0 || p.Seconds < 3 {
		t.Errorf("%+v", p)
	}
	for _, k := range p.Kinds {
		if !slices.Contains([]string{"kill", "standby", "malformed"}, k.Kind) {
			t.Errorf("%s was not allowed", k.Kind)
		}
	}
}

// chaos refuses faults that the engine does not allow, before it injects any.
func TestChaosRefused(t *testing.T) {
	e := up(t, "--backend", "null")
	file := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(file, []byte("- fault: kill\n- {after: 1s, fault: pair}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--plan", file}, file + ":2:3: fault pair takes 3 workers or more, this engine has 2: start it with --replicas 3"},
		{[]string{"--for", "1s", "--faults", "pair"}, "fault pair takes 3 workers or more"},
		{[]string{"--for", "1s", "--faults", "engine"}, "fault engine needs --engine-command"},
		{[]string{"--for", "1s", "--faults", "fire"}, `unknown fault "fire"; the faults are kill, `},
		{[]string{"--for", "1s", "--plan", file}, "--for and --plan exclude each other"},
		{[]string{"--plan", file + "x"}, "no such file"},
	} {
		_, errOut, code := chronus(append([]string{"chaos", "--runtime-dir", e.dir}, tt.args...)...)
		if code != 1 || !strings.Contains(errOut, tt.want) {
			t.Errorf("%v: code %d: %s\nwant %s", tt.args, code, errOut, tt.want)
		}
	}
	if n := e.must().FailoversTotal; n != 0 {
		t.Errorf("%d workers were lost", n)
	}
}

// The engine command starts the engine again after its process was killed, and the report goes on
// with the new process.
func TestChaosEngine(t *testing.T) {
	e := up(t, steadyEngine...)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := fmt.Sprintf("env %s=1 '%s' up --runtime-dir '%s' --osc 127.0.0.1:0 %s", asCommand, program, e.dir, strings.Join(steadyEngine, " "))
	t.Cleanup(func() { // the engine of the command is no child of this process
		if _, errOut, code := chronus("down", "--runtime-dir", e.dir); code != 0 {
			t.Error(errOut)
		}
	})
	steps := []plan.Step{
		{Faults: []string{"kill"}, Repeat: 1}, {Faults: []string{"engine"}, Repeat: 1},
		{Faults: []string{"kill"}, Repeat: 1, After: 100 * time.Millisecond},
	}
	report, err := chaos.Run(t.Context(), e.Client, chaos.Options{
		Plan: plan.New("", steps...), Seed: 1, EngineCommand: command, Log: e.log.File,
	})
	e.gone()
	if err != nil || !report.OK() || report.Count != 3 {
		t.Fatalf("%v, %+v\n%s", err, report, e.log)
	}
	if f := report.Faults[1]; f.Note == "" || report.Faults[2].Segment != 1 || report.Faults[0].Segment != 0 {
		t.Errorf("%+v", report.Faults)
	}
	t.Log(report.Faults[1])
	if err := report.Draw(io.Discard); err != nil {
		t.Error(err)
	}
}

// An engine command that fails ends the run at once.
func TestChaosEngineCommand(t *testing.T) {
	e := up(t, "--backend", "null", "--grace", "100ms")
	began := time.Now()
	out, _, code := chronus("chaos", "--runtime-dir", e.dir, "--faults", "engine", "--kills", "1", "--engine-command", "sh -c 'exit 7'")
	e.gone()
	if code != 1 || !strings.Contains(out, `failed: fault 1 (engine): --engine-command "sh -c 'exit 7'": exit status 7; `) || time.Since(began) > 15*time.Second {
		t.Errorf("code %d: %s", code, out)
	}
}
