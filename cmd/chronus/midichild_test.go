package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// midiChildren lists the MIDI processes of an engine.
func midiChildren(t *testing.T, engine int) (pids []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // the process has ended
		}
		text := string(b)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if len(fields) > 1 && fields[1] == strconv.Itoa(engine) && strings.HasPrefix(string(line), "chronus-midi\x00") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// knob returns the address of a parameter in Hz, from the engine's list.
func (e *engineProcess) knob() (address string) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), statusLimit)
	defer cancel()
	entries, err := e.Addresses(ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, a := range entries {
		if a.Unit == "Hz" && strings.HasPrefix(a.Address, "/mod/") && a.Min > 0 && a.Doc != "" {
			address = a.Address
		}
	}
	if address == "" || len(entries) < 10 {
		e.t.Fatalf("no parameter in Hz among %d addresses", len(entries))
	}
	return address
}

// A keyboard plays a running engine. A controller has the range that the engine gives, and a
// learned controller counts at once. After the MIDI process was killed, it is started again, and
// the engine has lost nothing.
func TestUpMIDI(t *testing.T) {
	k := newKeyboard(t)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	sound := filepath.Join(t.TempDir(), "live.wav")
	e := up(t, "--patch", "keys/epiano", "--midi", k.path, "--lead", "64", "--guard", "32", "--backend", "file", "--device", sound)
	said(t, e.log, "listening to "+k.path, 1)
	before := e.redundancy()
	knob := e.knob()
	path := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "chronus", "midi.yaml")
	other := newKeyboard(t)
	m := startMIDI(t, "learn", knob, "--port", other.path, "--runtime-dir", e.dir)
	m.says("listening to", 1)
	other.play(0xB0, 74, 1, 74, 2)
	if err := exited(t, m.cmd, m.log); err != nil {
		t.Fatalf("%v: %s", err, m.log)
	}
	m.says(path+": {channel: 1, controller: 74, address: "+knob+"}", 1)
	said(t, e.log, "1 controllers, 0 programs", 1)
	messages := func(least uint64) {
		t.Helper()
		eventually(t, func() string {
			if s := e.must().OSCStats; s.Messages < least || s.Failed > 0 {
				return fmt.Sprintf("%+v, want %d messages: %s", s, least, e.log)
			}
			return ""
		})
	}
	k.play(0x90, 60, 127, 64, 100, 0xB0, 74, 0, 1, 64, 0xE0, 0, 0x50, 0xD0, 10)
	messages(6)

	pids := midiChildren(t, e.cmd.Process.Pid)
	if len(pids) != 1 {
		t.Fatalf("%d MIDI processes", len(pids))
	}
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	said(t, e.log, "the MIDI process has ended (signal: killed); the sound goes on", 1)
	said(t, e.log, "listening to "+k.path, 2)
	n := e.must().OSCStats.Messages
	k.play(0x80, 60, 0, 64, 0, 0xB0, 74, 127)
	messages(n + 3)

	now := e.must()
	same := now.AudioPID == before.AudioPID && len(now.Workers) == len(before.Workers)
	for i, w := range now.Workers { // a busy machine may change the active worker
		same = same && w.PID == before.Workers[i].PID && w.Generation == before.Workers[i].Generation
	}
	if !same || now.Mismatches != 0 {
		t.Errorf("the engine was disturbed: %+v", now)
	}
	pids = midiChildren(t, e.cmd.Process.Pid)
	e.down()
	for _, pid := range pids {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
			t.Errorf("the MIDI process %d lives on", pid)
		}
	}
	_, samples := readWAV(t, sound)
	peak := float32(0)
	for _, s := range samples {
		peak = max(peak, s)
	}
	if peak < 0.01 {
		t.Errorf("nothing is heard: a peak of %g", peak)
	}
}

// The kernel ends the MIDI process with its engine, even after SIGKILL.
func TestMIDIEndsWithEngine(t *testing.T) {
	k := newKeyboard(t)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	e := up(t, "--midi", k.path, "--backend", "null", "--grace", "100ms")
	said(t, e.log, "the patch has no voices: notes have no effect", 1)
	pids := midiChildren(t, e.cmd.Process.Pid)
	if len(pids) != 1 {
		t.Fatalf("%d MIDI processes", len(pids))
	}
	e.murder()
	eventually(t, func() string {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pids[0]))
		if err == nil && len(line) > 0 {
			return fmt.Sprintf("the MIDI process %d lives on", pids[0])
		}
		return ""
	})
}
