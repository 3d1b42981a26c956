package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos"
	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
)

// TestTortureLong injects longDefault faults, for longMinutes at most, unless the environment gives
// other numbers. A run that is killed loses at most longBatch of them. The patches take turns, so a
// batch has at most a quarter of all faults.
const (
	longDefault = 40
	longBatch   = 100
	longMinutes = 60
)

// longFaults are the kinds. After each but "all" a worker is left that plays on.
var longFaults = []string{"kill", "term", "segv", "stop", "stall", "standby", "burst", "malformed", "all"}

// silenceLimit is the longest silence after a fault that leaves a worker, in ms.
const silenceLimit = 60.0

// longState is the progress of a long run, kept in a file between its sessions.
type longState struct {
	Total     int                   `json:"total"`
	Done      int                   `json:"done"`
	Seed      uint64                `json:"seed"` // of the run; a batch has this plus the number of faults before it
	Sessions  int                   `json:"sessions"`
	Seconds   float64               `json:"seconds"`
	Compared  uint64                `json:"compared"`
	Lost      uint64                `json:"lost"`
	Doubled   uint64                `json:"doubled"`
	Changed   uint64                `json:"changed"`
	Concealed uint64                `json:"concealed"`
	Elsewhere uint64                `json:"elsewhere"`
	Kinds     map[string]chaos.Kind `json:"kinds"`
	Seeds     []uint64              `json:"seeds_failed,omitempty"` // of the batches that did not pass
}

// loadLong returns the state of the sessions before, or a new one.
func loadLong(path string, total int) (*longState, error) {
	fresh := &longState{Total: total, Seed: 1 + rand.Uint64N(1<<31), Kinds: map[string]chaos.Kind{}}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return fresh, nil
	}
	s := &longState{}
	if err == nil {
		err = json.Unmarshal(b, s)
	}
	if err == nil && (s.Total != total || s.Kinds == nil) {
		err = fmt.Errorf("progress of %d faults, not of %d: remove the file to start again", s.Total, total)
	}
	if err != nil {
		return nil, fmt.Errorf("progress in %s: %w", path, err)
	}
	return s, nil
}

// save replaces the file atomically.
func (s *longState) save(path string) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	return errors.Join(os.WriteFile(tmp, b, 0o600), os.Rename(tmp, path))
}

// add adds a batch.
func (s *longState) add(p chaos.Report) {
	s.Done += p.Count
	s.Seconds += p.Seconds
	s.Compared += p.Compared
	s.Lost, s.Doubled, s.Changed = s.Lost+p.Lost, s.Doubled+p.Doubled, s.Changed+p.Changed
	s.Concealed, s.Elsewhere = s.Concealed+p.Concealed, s.Elsewhere+p.Elsewhere
	for _, k := range p.Kinds {
		sum := s.Kinds[k.Kind]
		sum.Kind, sum.Count, sum.Concealed = k.Kind, sum.Count+k.Count, sum.Concealed+k.Concealed
		sum.Lost, sum.Doubled, sum.Changed = sum.Lost+k.Lost, sum.Doubled+k.Doubled, sum.Changed+k.Changed
		sum.FlipUS.Max, sum.RedundantUS.Max = max(sum.FlipUS.Max, k.FlipUS.Max), max(sum.RedundantUS.Max, k.RedundantUS.Max)
		s.Kinds[k.Kind] = sum
	}
	if !p.OK() {
		s.Seeds = append(s.Seeds, p.Seed)
	}
}

// number reads a number of 1 or more from the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q: must be a number, 1 or more", name, text)
	}
	return n
}

// Mixed single faults, one after the other while notes are played, lose, double and change no
// frame. A long run (./task torture:long) has sessions: the next one continues a session that was
// killed or whose time was over. Each batch has an engine and a seed of its own. A failure names
// the seed.
func TestTortureLong(t *testing.T) {
	total := number(t, "CHRONUS_TORTURE_LONG", longDefault)
	over := time.Now().Add(time.Duration(number(t, "CHRONUS_TORTURE_MINUTES", longMinutes)) * time.Minute)
	path := os.Getenv("CHRONUS_TORTURE_STATE")
	switch {
	case path == "" && os.Getenv("CHRONUS_TORTURE_LONG") == "":
		path = filepath.Join(t.TempDir(), "state.json") // a short run is never continued
	case path == "":
		path = filepath.Join(os.TempDir(), "chronus-torture.json")
	}
	state, err := loadLong(path, total)
	if err != nil {
		t.Fatal(err)
	}
	state.Sessions++
	batch := min(longBatch, max(1, total/len(torturePatches)))
	for state.Done < total && time.Now().Before(over) {
		longRound(t, state, state.Done/batch, min(batch, total-state.Done))
		if err := state.save(path); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			break
		}
	}
	t.Logf("%d of %d faults in %d sessions and %.0f s, %d blocks compared: %d lost, %d doubled, %d changed; %d concealed, of them %d between the faults",
		state.Done, total, state.Sessions, state.Seconds, state.Compared, state.Lost, state.Doubled, state.Changed, state.Concealed, state.Elsewhere)
	for _, name := range longFaults {
		k := state.Kinds[name]
		t.Logf("%10s: %5d, %d lost, %d doubled, %d changed, %d concealed; at most %.1f ms to the flip, %.0f ms to redundancy",
			name, k.Count, k.Lost, k.Doubled, k.Changed, k.Concealed, k.FlipUS.Max/1e3, k.RedundantUS.Max/1e3)
	}
	if state.Lost+state.Doubled+state.Changed != 0 || len(state.Seeds) > 0 {
		t.Fatalf("the sound was touched, or an engine did not recover; seeds %v; progress stays in %s", state.Seeds, path)
	}
	if state.Done < total {
		t.Logf("%d of %d done; run again to go on", state.Done, total)
		return
	}
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
}

// longRound injects n faults into a new engine, with the patch whose turn it is.
func longRound(t *testing.T, state *longState, turn, n int) {
	t.Helper()
	e := up(t, tortureFlags(t, turn)...)
	defer e.down()
	defer e.notesThrough()()
	seed := state.Seed + uint64(state.Done)
	o := chaos.Options{Plan: mixed(n, seed), Seed: seed, Log: e.log.File}
	p, err := chaos.Run(context.Background(), e.Client, o)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, e.log)
	}
	state.add(p)
	for _, f := range p.Faults {
		if silence := p.Engine.Milliseconds(f.Concealed); silence > silenceLimit && f.Kind != "all" {
			t.Errorf("%s, seed %d: %.0f ms of silence after fault %d: %+v", p.Engine.Patch, seed, silence, f.N, f)
		}
	}
	t.Logf("%s: %d faults, %d concealed, of them %d where all died and %d elsewhere", p.Engine.Patch, p.Count, p.Concealed, p.AllDead, p.Elsewhere)
	if !p.OK() || p.Count != n {
		t.Errorf("seed %d: %s; %s\n%s", seed, p.Summary(), p.Failure, e.log)
		for _, f := range p.Faults[max(0, len(p.Faults)-5):] {
			t.Log(f)
		}
	}
}

// mixed returns a plan of n single faults in random order, with each kind equally often.
func mixed(n int, seed uint64) *plan.Plan {
	dice := rand.New(rand.NewPCG(seed, 0))
	var steps []plan.Step
	for i := range n {
		faults := []string{longFaults[i%len(longFaults)]}
		steps = append(steps, plan.Step{Faults: faults, After: torturePause, Within: true, Repeat: 1})
	}
	dice.Shuffle(n, func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	return plan.New("single faults, mixed", steps...)
}

// A session continues the one before it, and refuses the progress of another run.
func TestTortureState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s, err := loadLong(path, 300)
	if err != nil {
		t.Fatal(err)
	}
	s.add(chaos.Report{Count: 100, Compared: 5, Kinds: []chaos.Kind{{Kind: "kill", Count: 60}, {Kind: "stop", Count: 40}}})
	s.add(chaos.Report{Count: 100, Changed: 1, Seed: 9, Kinds: []chaos.Kind{{Kind: "kill", Count: 100, Changed: 1}}})
	if err := s.save(path); err != nil {
		t.Fatal(err)
	}
	again, err := loadLong(path, 300)
	if err != nil || again.Done != 200 || again.Seed != s.Seed || again.Kinds["kill"].Count != 160 || again.Changed != 1 || !slices.Equal(again.Seeds, []uint64{9}) {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := loadLong(path, 200); err == nil {
		t.Error("progress of another number of faults is taken over")
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadLong(path, 300); err == nil {
		t.Error("half a file is taken for progress")
	}
}
