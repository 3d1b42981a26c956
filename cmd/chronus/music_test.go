package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos"
	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
)

const musicPatch = `version: 1
name: machine
tempo: 140
voices:
  - id: bass
    count: 2
    nodes:
      - {id: saw1, type: saw, params: {gain: 0.3}}
      - {id: filter1, type: ladder, params: {cutoff: 300, resonance: 0.6}}
      - {id: env1, type: env, params: {attack: 0.002, release: 0.05}}
      - {id: sweep1, type: ad, params: {decay: 0.15}}
      - {id: amp1, type: vca}
  - id: keys
    count: 8
    steal: quietest
    nodes:
      - {id: string1, type: pluck, params: {gain: 0.4}}
nodes:
  - {id: depth1, type: scale, params: {mul: 3}}
  - {id: lfo1, type: lfo, params: {freq: 0.3, depth: 0.8}}
  - {id: wide1, type: pan}
  - {id: echo1, type: delay, params: {time: 0.32, feedback: 0.5, mix: 0.3}}
  - {id: room1, type: reverb, params: {mix: 0.2}}
cables:
  - bass.pitch > saw1.pitch
  - saw1 > filter1 > amp1 > room1
  - sweep1 > filter1.cutoff
  - env1 > amp1.gain
  - keys.pitch > string1.pitch
  - lfo1 > wide1.pan
  - string1 > wide1 > echo1 > room1 > out
patterns:
  - {number: 0, steps: "X.x. x-x. X.xx .x.x", base: 33, notes: [0, 0, 12, 0, 0, 3, 0, 7], gate: 0.6, chance: 0.9, seed: 5, lanes: [[200, 400, 800, ".", 1200]]}
  - {number: 1, steps: "X..x ..x.", base: 57, notes: [0, 3, 7, 10, 12], gate: 0.9}
  - {number: 2, steps: "x.x. X.x.", base: 40, notes: [0, 5, 7], gate: 0.4}
tracks:
  - {id: low, voices: bass, pattern: 0, lanes: [filter1.cutoff]}
  - {id: high, voices: keys, pattern: 1, division: 1/8t, swing: 0.6, steps: 7}
`

// A patch with voices, effects and a sequencer plays on unchanged while notes, patterns and the
// tempo change, and workers are killed, hang and die together. The recording is in the
// uninterrupted render of its tape.
func TestMusicSurvives(t *testing.T) {
	dir := t.TempDir()
	path, sound := filepath.Join(dir, "machine.yaml"), filepath.Join(dir, "live.wav")
	if err := os.WriteFile(path, []byte(musicPatch), 0o600); err != nil {
		t.Fatal(err)
	}
	e := up(t, "--patch", path, "--lead", "64", "--guard", "32", "--backend", "file", "--device", sound)
	stop := e.taping()
	send := func(address string, args ...string) {
		t.Helper()
		if _, errOut, code := chronus(append([]string{"send", "--runtime-dir", e.dir, address}, args...)...); code != 0 {
			t.Fatalf("%s %v: %s", address, args, errOut)
		}
	}
	send("/pattern/0/steps", "x.Xx -.x") // the track high has its own length
	send("/pattern/0/notes", "0", "7", "10", "12", "15")
	send("/seq/play", "start")
	send("/seq/ramp", "160", "1.5")
	for i, signal := range []string{"kill", "segv", "stop", "kill"} {
		send("/note/keys/on", []string{"60", "64", "67", "71"}[i], "0.7")
		send("/seq/low/pattern", []string{"2", "0", "2", "-1"}[i])
		send("/seq/bpm", []string{"150", "97.5", "181", "120"}[i])
		send("/engine/bend", []string{"2", "-1", "0", "0.5"}[i])
		r, err := chaos.Kills(context.Background(), e.Client, 2, signal, 20*time.Millisecond)
		if err != nil || r.Lost+r.Doubled+r.Changed != 0 {
			t.Fatalf("%s: %+v, %v\n%s", signal, r, err, e.log)
		}
		e.redundancy()
	}
	e.slay(3)
	send("/note/keys/off")
	tape := stop()
	e.down()
	whole := filepath.Join(dir, "whole.wav")
	tapeFile := filepath.Join(dir, "tape")
	if err := os.WriteFile(tapeFile, tape, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errOut, code := chronus("render", "--tape", tapeFile, "-o", whole); code != 0 {
		t.Fatal(errOut)
	}
	_, want := readWAV(t, whole)
	_, got := readWAV(t, sound)
	// Blocks were concealed where all workers died. Between those the recording has the render's
	// blocks, in order.
	sounding, found := inOrder(got, want)
	t.Logf("%d blocks of the render that are not silence, %d of them in the recording, in order", sounding, found)
	if sounding < 1000 || found < sounding-fadedBlocks {
		t.Errorf("%d of %d blocks of the render are in the recording", found, sounding)
	}
}

// inOrder counts the audible blocks of a render, and those of them that a recording has, in order.
func inOrder(got, want []float32) (sounding, found int) {
	const block = 2 * 64
	silent := make([]float32, block)
	at := 0
	for i := 0; i+block <= len(want); i += block {
		if slices.Equal(want[i:i+block], silent) {
			continue
		}
		sounding++
		for k := at; k+block <= len(got); k += block {
			if slices.Equal(got[k:k+block], want[i:i+block]) {
				at, found = k+block, found+1
				break
			}
		}
	}
	return sounding, found
}

// slay kills all workers at once, so many times.
func (e *engineProcess) slay(times int) {
	e.t.Helper()
	p, err := plan.Parse("plan", fmt.Appendf(nil, "- {repeat: %d, after: 200ms, fault: all}", times))
	if err != nil {
		e.t.Fatal(err)
	}
	r, err := chaos.Run(context.Background(), e.Client, chaos.Options{Plan: p, Seed: 1, Log: io.Discard})
	if err != nil || !r.OK() {
		e.t.Fatalf("%v, %s; %s\n%s", err, r.Summary(), r.Failure, e.log)
	}
}

// fadedBlocks bounds the blocks that are faded in or out, and so differ from the render: around
// three deaths of all workers, and at the end.
const fadedBlocks = 60
