package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sender sends OSC messages to an engine, each of which must be carried out.
func (e *engineProcess) sender() func(address string, args ...string) string {
	return func(address string, args ...string) string {
		e.t.Helper()
		out, errOut, code := chronus(append([]string{"send", "--runtime-dir", e.dir, address}, args...)...)
		if code != 0 {
			e.t.Fatalf("%s %v: %s%s\n%s", address, args, out, errOut, e.log)
		}
		return out
	}
}

// plays waits until so many more blocks have been played.
func (e *engineProcess) plays(blocks uint64) {
	e.t.Helper()
	for from, began := e.must().Clock, time.Now(); e.must().Clock < from+blocks; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			e.t.Fatalf("%d blocks are not played within 10 s", blocks)
		}
	}
}

// Nodes, cables, tracks and whole patches change while patterns play and workers are killed. The
// recording is, block by block, the uninterrupted render of the same decisions, and no block was
// concealed.
func TestLivePatching(t *testing.T) {
	dir := t.TempDir()
	path, sound := filepath.Join(dir, "machine.yaml"), filepath.Join(dir, "live.wav")
	if err := os.WriteFile(path, []byte(musicPatch), 0o600); err != nil {
		t.Fatal(err)
	}
	e := up(t, "--patch", path, "--patches", dir, "--lead", "64", "--guard", "32", "--backend", "file", "--device", sound, "--replicas", "3")
	stop := e.taping()
	e.patchAndKill()
	send := e.sender()
	send("/mod/room1/mix", "0.3125")
	send("/seq/bpm", "133")
	send("/seq/high/mute", "on")
	send("/patch/save", "kept/now")
	if b, err := os.ReadFile(filepath.Join(dir, "kept", "now.yaml")); err != nil || !strings.Contains(string(b), "mix: 0.3125") ||
		!strings.Contains(string(b), "tempo: 133") || !strings.Contains(string(b), "mute: true") {
		t.Errorf("%v, %s", err, b)
	}
	send("/patch/load", "keys/epiano")
	send("/note/on", "60", "0.7")
	e.plays(150)
	e.killHeard(syscall.SIGKILL)
	send("/patch/load", "kept/now")
	if got := send("/patch/list"); !strings.Contains(got, "kept/now") || !strings.Contains(got, "keys/epiano") {
		t.Errorf("%s", got)
	}
	send("/seq/start")
	e.plays(200)
	st := e.redundancy()
	if st.Concealed > 0 {
		t.Errorf("%d blocks concealed", st.Concealed)
	}
	tape := stop()
	e.down()
	v, err := verifyBytes(tape)
	if err != nil || v.Changed > 0 || v.Blocks < 1000 {
		t.Errorf("%+v, %v", v, err)
	}
	tapeFile, whole := filepath.Join(dir, "tape"), filepath.Join(dir, "whole.wav")
	if err := os.WriteFile(tapeFile, tape, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errOut, code := chronus("render", "--tape", tapeFile, "-o", whole); code != 0 {
		t.Fatal(errOut)
	}
	_, want := readWAV(t, whole)
	_, got := readWAV(t, sound)
	sounding, found := inOrder(got, want)
	t.Logf("%d workers killed over %d commits; %d blocks of the render that are not silence, %d of them in the recording, in order",
		st.FailoversTotal, 20, sounding, found)
	if sounding < 1000 || found < sounding-fadedBlocks {
		t.Errorf("%d of %d blocks of the render are in the recording", found, sounding)
	}
}

// patchAndKill changes a patch nine times and back, with patterns and notes. patchAndKill kills the
// active worker after each change, and between some of the edits.
func (e *engineProcess) patchAndKill() {
	e.t.Helper()
	send := e.sender()
	send("/seq/start")
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGTERM}
	for i := range 9 {
		fx := fmt.Sprint("fx", i)
		send("/seq/low/pattern", fmt.Sprint(2*(i%2)))
		send("/patch/create", fx, []string{"chorus", "svf", "shape"}[i%3])
		send("/patch/disconnect", "room1", "out")
		send("/patch/connect", "room1", fx)
		send("/patch/connect", fx, "out")
		if i%3 == 1 {
			send("/patch/set", "echo1", "feedback", fmt.Sprint(0.1*float64(i)))
		}
		if i == 4 {
			send("/seq/create", "third", "keys")
			send("/seq/config", "third", "1/8", "5")
		}
		if i == 2 || i == 6 {
			e.killHeard(signals[i%3]) // between the edits and their commit
		}
		if got := send("/patch/commit"); !strings.Contains(got, "/patch/commit.reply") {
			e.t.Fatal(got)
		}
		e.killHeard(signals[i%3])
		send("/note/keys/on", fmt.Sprint(60+i), "0.6")
		if i == 4 {
			send("/seq/assign", "third", "1")
		}
		send("/patch/delete", fx)
		send("/patch/connect", "room1", "out")
		send("/patch/commit")
		e.redundancy()
	}
}

// A wrong change is refused with its reason, and none of it is played. An engine that takes over
// continues with the last commit.
func TestPatchingRefuses(t *testing.T) {
	dir := t.TempDir()
	e := up(t, "--patches", dir, "--backend", "null", "--lead", "64", "--guard", "32")
	send := e.sender()
	out := "version: 1\nsamples: {a: ../../etc/hostname}\nnodes: [{id: s, type: sampler, sample: a}]\ncables: [s > out]\n"
	if err := os.WriteFile(filepath.Join(dir, "outside.yaml"), []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ message, want string }{
		{"/patch/load outside", "is not in the directory for patches"},
		{"/patch/commit", "no draft"},
		{"/patch/abort", "no draft"},
		{"/patch/create a sinus", "did you mean sine"},
		{"/patch/create a", "want id type"},
		{"/patch/create 5 sine", "is a number"},
		{"/patch/connect sine1 nowhere", "no node"},
		{"/patch/load ../../etc/passwd", "want letters, digits"},
		{"/patch/load nothing", "no preset"},
		{"/patch/save /abs", "want letters, digits"},
		{"/seq/start", "unknown"},
	} {
		out, _, code := chronus(append([]string{"send", "--runtime-dir", e.dir}, strings.Fields(tt.message)...)...)
		if code == 0 || !strings.Contains(out, tt.want) {
			t.Errorf("%s: %q, %d, want %q", tt.message, out, code, tt.want)
		}
	}
	send("/patch/create", "echo", "delay")
	send("/patch/connect", "echo", "echo")
	if out, _, code := chronus("send", "--runtime-dir", e.dir, "/patch/commit"); code == 0 || !strings.Contains(out, "form a cycle") {
		t.Errorf("a loop: %q", out)
	}
	if out, _, code := chronus("send", "--runtime-dir", e.dir, "/patch/load", "keys/epiano"); code == 0 || !strings.Contains(out, "not committed") {
		t.Errorf("a load within a draft: %q", out)
	}
	send("/patch/disconnect", "echo", "echo")
	send("/patch/connect", "filter1", "echo")
	send("/patch/connect", "echo", "out")
	send("/patch/commit")
	send("/mod/echo/mix", "0.25")
	e.murder()
	e = upIn(t, e.dir, "--patches", dir, "--backend", "null", "--lead", "64", "--guard", "32")
	e.redundancy()
	e.sender()("/mod/echo/mix", "0.5")
	e.killHeard(syscall.SIGKILL)
	e.redundancy()
	e.sender()("/patch/delete", "echo")
	e.sender()("/patch/commit")
	if out, _, code := chronus("send", "--runtime-dir", e.dir, "/mod/echo/mix", "0.5"); code == 0 {
		t.Errorf("a node that is gone: %q", out)
	}
}
