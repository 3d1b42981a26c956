package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/shm/sys"
)

// threadRow is a row of the table in docs/threads.md.
type threadRow struct {
	process, thread, state, policy string
	priority                       int
}

// threadTable reads the rows that name a policy.
func threadTable(t *testing.T) (rows []threadRow) {
	t.Helper()
	text, err := os.ReadFile("../../docs/threads.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		c := strings.Split(line, " | ")
		if len(c) != 7 || !strings.HasPrefix(c[3], "SCHED_") {
			continue
		}
		priority, err := strconv.Atoi(c[4])
		if err != nil {
			t.Fatalf("docs/threads.md: priority %q: %v", c[4], err)
		}
		rows = append(rows, threadRow{strings.TrimPrefix(c[0], "| "), c[1], c[2], c[3], priority})
	}
	if len(rows) != 10 {
		t.Fatalf("docs/threads.md has %d rows, want 10: %v", len(rows), rows)
	}
	return rows
}

// kernelThread describes a thread as the kernel sees it.
type kernelThread struct {
	name     string
	main     bool
	policy   string
	priority int
}

// threads lists the threads of a process. A process that has ended has none.
func threads(pid int) (list []kernelThread) {
	stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	inside := regexp.MustCompile(`^(\d+) \((.*)\) (.*)$`)
	for _, path := range stats {
		b, err := os.ReadFile(path)
		m := inside.FindSubmatch(b)
		if err != nil || m == nil {
			continue
		}
		fields := strings.Fields(string(m[3])) // from field 3 of proc(5)'s stat on
		if len(fields) < 39 {
			continue
		}
		priority, _ := strconv.Atoi(fields[40-3])
		policy := map[string]string{"0": "SCHED_OTHER", "1": "SCHED_FIFO", "2": "SCHED_RR"}[fields[41-3]]
		list = append(list, kernelThread{string(m[2]), string(m[1]) == strconv.Itoa(pid), policy, priority})
	}
	return list
}

// against compares the threads of a process with the table and returns the differences.
func against(rows []threadRow, process, state string, pid int) (wrong []string) {
	find := func(th kernelThread) (threadRow, bool) {
		for _, r := range rows {
			of := r.process == process && (r.state == state || !th.main || r.thread != "main thread")
			switch {
			case !of:
			case r.thread == "main thread" && th.main, r.thread == th.name && !th.main:
				return r, true
			case r.thread == "every thread", r.thread == "every other thread":
				return r, true
			}
		}
		return threadRow{}, false
	}
	for _, th := range threads(pid) {
		r, ok := find(th)
		if !ok || r.policy != th.policy || r.priority != th.priority {
			wrong = append(wrong, fmt.Sprintf("%s %d: thread %q (main %t) has %s %d, the table says %s %d",
				process, pid, th.name, th.main, th.policy, th.priority, r.policy, r.priority))
		}
	}
	return wrong
}

// The threads of a running engine are those of docs/threads.md. A joining worker's only real-time
// thread is its life thread.
func TestThreads(t *testing.T) {
	if err := sys.MayFIFO(sys.PriorityDevice); err != nil {
		t.Logf("every thread is ordinary on this machine: %v", err)
		return
	}
	rows := threadTable(t)
	e := up(t, "--backend", "null", "--patch", "songs/night")
	for range 20 {
		st := e.redundancy()
		settled := func() (wrong []string) {
			st = e.must()
			wrong = append(wrong, against(rows, "engine", "always", st.PID)...)
			wrong = append(wrong, against(rows, "chronus-audio", "always", st.AudioPID)...)
			for _, w := range st.Workers {
				state := "standby"
				if w.Slot == st.Active.Slot {
					state = "active"
				}
				wrong = append(wrong, against(rows, "chronus-worker", state, w.PID)...)
			}
			return wrong
		}
		// A render thread takes its new priority when it wakes next.
		var wrong []string
		for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(5 * time.Millisecond) {
			if wrong = settled(); len(wrong) == 0 {
				break
			}
		}
		if len(wrong) > 0 {
			t.Fatal(strings.Join(wrong, "\n"))
		}
		watchJoin(t, e, rows, st)
	}
}

// watchJoin kills the active worker and checks the process that replaces it until that is ready.
func watchJoin(t *testing.T, e *engineProcess, rows []threadRow, st actors.Status) {
	t.Helper()
	victim := st.Workers[st.Active.Slot].PID
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 20*time.Second; {
		now := e.must()
		w := now.Workers[st.Active.Slot]
		if w.PID == victim || w.PID == 0 {
			continue
		}
		wrong := against(rows, "chronus-worker", "joining", w.PID)
		if after := e.must().Workers[st.Active.Slot]; after.Ready || after.PID != w.PID {
			return // the worker became ready meanwhile
		}
		if len(wrong) > 0 {
			t.Fatalf("while it joins: %s", strings.Join(wrong, "\n"))
		}
	}
	t.Fatal("no worker has taken the place of the one that was killed")
}
