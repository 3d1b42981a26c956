package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos"
)

// After leaksWarm failovers a process holds all that it ever needs. Only the Go runtime may take
// more later: threads with their stacks, and heap.
const (
	leaksDefault   = 60
	leaksWarm      = 20
	passing        = 2 // descriptors that are open for a moment: for a request, for a spare that starts
	runtimeThreads = 3
	runtimeMaps    = 12
	runtimeHeap    = 16 << 10 // kB
	growth         = 8 << 10  // kB: the history of 4,096 failovers, and uncollected memory of the audio process
)

// holdings counts what a process holds of the system.
type holdings struct {
	files, segments, mappings, threads, children int
	resident, heap                               int // kB; heap: writable memory of its own, touched or not
}

func (h holdings) String() string {
	return fmt.Sprintf("%d descriptors, %d segments mapped, %d mappings, %d threads, %d children, %d kB resident, %d kB writable",
		h.files, h.segments, h.mappings, h.threads, h.children, h.resident, h.heap)
}

// within says whether h is at most was, plus what the runtime may take.
func (h holdings) within(was holdings) bool {
	return h.files <= was.files+passing && h.segments <= was.segments && h.children <= was.children &&
		h.mappings <= was.mappings+runtimeMaps && h.threads <= was.threads+runtimeThreads &&
		h.resident <= was.resident+max(was.resident/10, growth) && h.heap <= was.heap+runtimeHeap
}

func holdingsOf(t *testing.T, pid int) (h holdings) {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d/", pid)
	count := func(pattern string) int {
		names, err := filepath.Glob(proc + pattern)
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	read := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	h.files, h.threads = count("fd/*"), count("task/*")
	for line := range strings.Lines(string(read(proc + "maps"))) {
		h.mappings++
		var from, to uint64
		f := strings.Fields(line)
		switch {
		case strings.Contains(line, "/memfd:"):
			h.segments++
		case len(f) == 5 && f[1] == "rw-p":
			if _, err := fmt.Sscanf(f[0], "%x-%x", &from, &to); err != nil {
				t.Fatal(err)
			}
			h.heap += int(to-from) >> 10
		}
	}
	tasks, _ := filepath.Glob(proc + "task/*/children")
	for _, task := range tasks {
		if b, err := os.ReadFile(task); err == nil { // a thread may have ended
			h.children += len(bytes.Fields(b))
		}
	}
	for line := range strings.Lines(string(read(proc + "status"))) {
		if kB, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			h.resident, _ = strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kB), "kB")))
		}
	}
	return h
}

// A failover leaks nothing: after many, the engine and the audio process hold what they held after
// the first ones.
func TestLeaks(t *testing.T) {
	kills := number(t, "CHRONUS_LEAKS", leaksDefault)
	e := up(t, steadyEngine...)
	defer e.notes()()
	fail := func(n int) {
		t.Helper()
		r, err := chaos.Kills(context.Background(), e.Client, n, "kill", 5*time.Millisecond)
		if err != nil || r.Lost+r.Doubled+r.Changed != 0 {
			t.Fatalf("%+v, %v\n%s", r, err, e.log)
		}
	}
	fail(leaksWarm)
	st := e.redundancy()
	names := []string{"engine", "audio process"}
	pids := []int{st.PID, st.AudioPID}
	var was []holdings
	time.Sleep(time.Second) // descriptors for the start of a spare are open for a moment
	for i, pid := range pids {
		was = append(was, holdingsOf(t, pid))
		t.Logf("%s after %d failovers: %v", names[i], leaksWarm, was[i])
	}
	fail(kills - leaksWarm)
	if now := e.redundancy(); now.AudioPID != st.AudioPID {
		t.Fatalf("the audio process was replaced: %s", e.log)
	}
	for i, pid := range pids {
		now := holdingsOf(t, pid)
		for range 100 { // the last failover may not be over yet
			if now.within(was[i]) {
				break
			}
			time.Sleep(50 * time.Millisecond)
			now = holdingsOf(t, pid)
		}
		t.Logf("%s after %d failovers: %v", names[i], kills, now)
		if !now.within(was[i]) {
			t.Errorf("%s holds more after %d failovers than after %d:\n now %v\n was %v", names[i], kills, leaksWarm, now, was[i])
		}
	}
}
