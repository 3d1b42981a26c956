package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
)

// limit sets a soft resource limit of a running process, as prlimit(1) names it. "unlimited"
// removes it.
func limit(t *testing.T, pid int, resource, value string) {
	t.Helper()
	tool(t, "prlimit", "--pid", strconv.Itoa(pid), "--"+resource+"="+value+":")
}

// An engine without free descriptors cannot replace a worker. The engine reports that, and the
// sound goes on. With descriptors again, the engine is redundant again.
func TestOutOfDescriptors(t *testing.T) {
	e := up(t, "--backend", "null", "--lead", "64", "--guard", "32")
	e.tell("/gate/adsr1", "on")
	stop := e.taping()
	before := e.redundancy()
	limit(t, before.PID, "nofile", strconv.Itoa(len(list(t, fmt.Sprintf("/proc/%d/fd", before.PID)))))
	e.killStandby()
	e.killStandby() // the spare, which already runs, may replace the first
	st := e.until("it says that it cannot", 10*time.Second, func(st actors.Status) bool {
		return slices.ContainsFunc(st.Events, func(ev string) bool { return strings.Contains(ev, "too many open files") })
	})
	e.until("the sound goes on", 10*time.Second, func(now actors.Status) bool { return now.Clock > st.Clock+300 })
	limit(t, before.PID, "nofile", "1024")
	after := e.redundancy()
	if v, err := verifyBytes(stop()); err != nil || v.Changed != 0 || v.Blocks < 300 {
		t.Errorf("%+v, %v", v, err)
	}
	if after.Concealed != before.Concealed || after.Workers[after.Active.Slot].PID != before.Workers[before.Active.Slot].PID {
		t.Errorf("%d blocks concealed", after.Concealed-before.Concealed)
	}
}

// killStandby kills a standby if there is one at the moment.
func (e *engineProcess) killStandby() {
	e.t.Helper()
	st := e.must()
	if pid := st.Workers[1-st.Active.Slot].PID; pid != 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	time.Sleep(100 * time.Millisecond)
}

// An engine without memory may report that, or its runtime may end it. The sound goes on either
// way, and this engine or the next is redundant again.
func TestOutOfMemory(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "heard.wav")
	flags := []string{"--backend", "file", "--device", path, "--lead", "64", "--guard", "32"}
	e := upIn(t, dir, flags...)
	e.tell("/gate/adsr1", "on")
	before := e.redundancy()
	limit(t, before.PID, "as", strconv.Itoa(virtual(t, before.PID)-250<<20))
	_ = syscall.Kill(before.Workers[1-before.Active.Slot].PID, syscall.SIGKILL)
	length := size(t, path)
	for began := time.Now(); size(t, path) < length+48000*8; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the sound does not go on")
		}
	}
	if alive(before.PID) {
		limit(t, before.PID, "as", "unlimited")
	} else {
		e.gone()
		e = upIn(t, dir, flags...)
	}
	if after := e.redundancy(); after.Concealed != before.Concealed || after.AudioPID != before.AudioPID {
		t.Errorf("%d blocks concealed", after.Concealed-before.Concealed)
	}
	channels, samples := readWAV(t, path)
	if n := longestSilence(samples[len(samples)-48000*channels:], channels); n > 64 {
		t.Errorf("%d frames of silence in the last second", n)
	}
}

func list(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	l, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// virtual returns the size of a process's address space in bytes.
func virtual(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[0])
	return pages * os.Getpagesize()
}

// A recording on a full disk reports that, while the sound goes on. With space again, the
// recording goes on too. The file stays valid.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.wav")
	e := up(t, "--backend", "file", "--device", path, "--lead", "64", "--guard", "32")
	st := e.until("it plays", 10*time.Second, func(st actors.Status) bool { return st.Played > 300 })
	limit(t, st.AudioPID, "fsize", strconv.FormatInt(size(t, path)+4096, 10))
	full := e.until("it says that there is no room", 10*time.Second, func(st actors.Status) bool { return st.Problem != "" })
	if !strings.Contains(full.Problem, "file too large") {
		t.Errorf("trouble: %s", full.Problem)
	}
	out, _, _ := chronus("status", "--runtime-dir", e.dir)
	if !strings.Contains(out, "problem with the device: WAV: write ") {
		t.Errorf("status: %s", out)
	}
	e.until("the sound goes on", 10*time.Second, func(now actors.Status) bool { return now.Clock > full.Clock+500 })
	readWAV(t, path)
	limit(t, st.AudioPID, "fsize", "unlimited")
	now := e.until("it is well again", 10*time.Second, func(st actors.Status) bool { return st.Problem == "" })
	before := size(t, path)
	e.until("it records again", 10*time.Second, func(actors.Status) bool { return size(t, path) > before+100000 })
	if now.AudioPID != st.AudioPID || now.FailoversTotal != 0 {
		t.Errorf("a process was lost: %+v", now.Events)
	}
	readWAV(t, path)
}

// An engine that cannot save its state reports that, and the sound goes on.
func TestStateNotSaved(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "state.tmp", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	e := upIn(t, dir, "--backend", "null")
	e.tell("/gate/adsr1", "on")
	st := e.until("it says so", 10*time.Second, func(st actors.Status) bool {
		return slices.ContainsFunc(st.Events, func(ev string) bool { return strings.Contains(ev, "state on disk could not be saved") })
	})
	e.until("the sound goes on", 10*time.Second, func(now actors.Status) bool { return now.Clock > st.Clock+300 })
}
