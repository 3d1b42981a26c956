package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// steadyEngine is the engine for tests whose verdict is no matter of this machine's load: a long lead.
var steadyEngine = []string{"--backend", "null", "--lead", "64", "--guard", "32"}

// readReport reads what --report left: the report, and the classes of the picture's elements, counted.
func readReport(t *testing.T, dir string) (p planReport, classes map[string]int) {
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

// Each kind of fault once, but the engine's own end, to an engine of three workers while notes are played: nothing is
// lost, doubled or changed, and the report and its picture show each of them.
func TestChaosKinds(t *testing.T) {
	e := up(t, append(steadyEngine, "--replicas", "3")...)
	defer e.notesThrough()()
	dir := t.TempDir()
	plan := filepath.Join(dir, "plan.yaml")
	var want []string
	text := "- {at: 100ms, fault: stall, for: 30ms}\n- {fault: stall, for: 2s}\n"
	want = append(want, "stall", "stall")
	for _, k := range kindNames() {
		if k != "engine" && k != "stall" {
			text += fmt.Sprintf("- {after: 20ms, fault: %s}\n", k)
			want = append(want, k)
		}
	}
	if err := os.WriteFile(plan, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errOut, code := chronus("chaos", "--runtime-dir", e.dir, "--plan", plan, "--report", dir, "--seed", "1")
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

// Faults at random for a time: the same verdict, and each kind is one that was allowed.
func TestChaosFor(t *testing.T) {
	e := up(t, steadyEngine...)
	defer e.notesThrough()()
	out, errOut, code := chronus("chaos", "--runtime-dir", e.dir, "--for", "3s", "--faults", "kill,standby,malformed", "--pause", "20ms", "--json")
	var p planReport
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

// What cannot be done to an engine is refused before anything is done to it.
func TestChaosRefused(t *testing.T) {
	e := up(t, "--backend", "null")
	plan := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(plan, []byte("- fault: kill\n- {after: 1s, fault: pair}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--plan", plan}, plan + ":2:3: fault pair takes 3 workers or more, this engine has 2: start it with --replicas 3"},
		{[]string{"--for", "1s", "--faults", "pair"}, "fault pair takes 3 workers or more"},
		{[]string{"--for", "1s", "--faults", "engine"}, "fault engine needs --engine-command"},
		{[]string{"--for", "1s", "--faults", "fire"}, `no fault "fire"; there are kill, `},
		{[]string{"--for", "1s", "--plan", plan}, "--for and --plan exclude each other"},
		{[]string{"--plan", plan + "x"}, "no such file"},
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

// The engine process is killed and started again by the user's command; the report goes on with the new one.
func TestChaosEngine(t *testing.T) {
	e := up(t, steadyEngine...)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := fmt.Sprintf("env %s=1 '%s' up --runtime-dir '%s' --osc 127.0.0.1:0 %s", asCommand, program, e.dir, strings.Join(steadyEngine, " "))
	t.Cleanup(func() { // the engine of the command is nobody's child any more
		if _, errOut, code := chronus("down", "--runtime-dir", e.dir); code != 0 {
			t.Error(errOut)
		}
	})
	report, err := (&chaosRun{
		client: e.client, plan: &faultPlan{steps: []faultStep{
			{faults: []string{"kill"}, repeat: 1}, {faults: []string{"engine"}, repeat: 1}, {faults: []string{"kill"}, repeat: 1, after: 100 * time.Millisecond},
		}}, seed: 1, engineCommand: command, log: e.log.File,
	}).run(t.Context())
	_ = e.cmd.Wait()
	e.cmd = nil
	if err != nil || !report.ok() || report.Count != 3 {
		t.Fatalf("%v, %+v\n%s", err, report, e.log)
	}
	if f := report.Faults[1]; f.Note == "" || report.Faults[2].Take != 1 || report.Faults[0].Take != 0 {
		t.Errorf("%+v", report.Faults)
	}
	t.Log(report.Faults[1])
	if err := report.draw(io.Discard); err != nil {
		t.Error(err)
	}
}

// A command that does not start the engine is told at once.
func TestChaosEngineCommand(t *testing.T) {
	e := up(t, "--backend", "null", "--grace", "100ms")
	began := time.Now()
	out, _, code := chronus("chaos", "--runtime-dir", e.dir, "--faults", "engine", "--kills", "1", "--engine-command", "sh -c 'exit 7'")
	_ = e.cmd.Wait()
	e.cmd = nil
	if code != 1 || !strings.Contains(out, `failed: fault 1 (engine): --engine-command "sh -c 'exit 7'": exit status 7; `) || time.Since(began) > redundantWait/2 {
		t.Errorf("code %d: %s", code, out)
	}
}

// An hour is drawn from bounded memory, and many faults each in its lane.
func TestPicture(t *testing.T) {
	var w waveform
	const hour = 3600 * 48000 / 64
	loud := hour / 3
	for n := range int64(hour) {
		x := float32(0.1)
		if n == int64(loud) {
			x = 0.9
		}
		w.add(n, []float32{x, -x / 2})
	}
	if len(w.bins) > maxBins || w.end() != hour {
		t.Fatalf("%d bins, %d blocks", len(w.bins), w.end())
	}
	if b := w.bins[int64(loud)/w.span]; b.hi != 0.9 || b.lo != -0.45 {
		t.Errorf("the one loud block is %+v", b)
	}
	p := planReport{Engine: engineReport{Rate: 48000, Block: 64, Workers: 2}, wave: &w, base: []int64{0}, Failure: "<&>"}
	p.Gaps = []gapRecord{{0, 1000, 50}, {0, 900, 0}, {0, 500, 3}}
	for i := range 3000 {
		k := faultKinds[i%3].name
		p.Faults = append(p.Faults, faultRecord{N: i + 1, Kind: k, Block: uint64(rand.IntN(hour)), Note: `"<`})
	}
	p.Kinds = []kindReport{{Kind: "kill"}, {Kind: "term"}, {Kind: "segv"}}
	var b bytes.Buffer
	if err := p.draw(&b); err != nil {
		t.Fatal(err)
	}
	if c := countClasses(t, b.Bytes()); c["fault"] != 3000 || c["concealed"] != 2 || c["kind"] != 3 || c["caption"] != 3 {
		t.Errorf("%v", c)
	}
}

// What was changed is blamed on the last fault before it, and nothing of it passes.
func TestBlame(t *testing.T) {
	r := &chaosRun{plan: &faultPlan{}, faults: []faultRecord{
		{N: 1, Kind: "kill", Block: 10}, {N: 2, Kind: "stop", Block: 20}, {N: 3, Kind: "kill", Take: 1, Block: 5},
	}, takes: []*take{{changed: []uint64{3, 12, 19, 20, 400}, blocks: 500}, {changed: []uint64{4, 5}, blocks: 30}}}
	r.changed.Store(7)
	p := r.report(nil)
	if a, b, c := p.Faults[0].Changed, p.Faults[1].Changed, p.Faults[2].Changed; a != 2 || b != 2 || c != 1 {
		t.Errorf("blamed %d, %d, %d", a, b, c)
	}
	if p.ok() || p.Changed != 7 || p.Compared != 530 || len(p.Kinds) != 2 || p.Kinds[0].Count != 2 || p.Kinds[0].Changed != 3 {
		t.Errorf("%+v", p)
	}
}
