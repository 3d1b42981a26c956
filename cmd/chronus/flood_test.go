package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// flood returns the messages a second to send, and for how long. CHRONUS_FLOOD=100000,60s gives
// others, and makes the run a long one.
func flood(t *testing.T) (rate int, length time.Duration, long bool) {
	t.Helper()
	text := os.Getenv("CHRONUS_FLOOD")
	if text == "" {
		return 20_000, 2 * time.Second, false
	}
	r, l, _ := strings.Cut(text, ",")
	rate, err := strconv.Atoi(r)
	if err == nil {
		length, err = time.ParseDuration(l)
	}
	if err != nil || rate <= 0 {
		t.Fatalf("CHRONUS_FLOOD=%q: must be like 100000,60s", text)
	}
	return rate, length, true
}

// kernelDrops returns how many datagrams the kernel has dropped because the socket was not read
// fast enough.
func kernelDrops(t *testing.T, address string) (drops uint64) {
	t.Helper()
	_, port, _ := strings.Cut(address, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 12 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) {
			if drops, err = strconv.ParseUint(f[12], 10, 64); err != nil {
				t.Fatal(err)
			}
			return drops
		}
	}
	t.Fatalf("no socket of port %d in /proc/net/udp", n)
	return 0
}

// cpuTime returns the processor time of a process.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	d, err := sys.CPUTime(pid)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// niceOf returns a process's nice value.
func niceOf(t *testing.T, pid int) int {
	t.Helper()
	n, err := syscall.Getpriority(syscall.PRIO_PROCESS, pid)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - n // the system call returns 20 minus the nice value
}

// mayNice says whether this process may lower nice values. mayNice tries that on a thread of its
// own.
func mayNice(nice int) bool {
	tried := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		tried <- syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), nice)
	}()
	return <-tried == nil
}

// The nice value of an engine process puts it before programs that compute, if it may lower it.
func TestEngineIsPrompt(t *testing.T) {
	e := up(t, "--backend", "null")
	want := niceOf(t, os.Getpid())
	if mayNice(sys.NiceEngine) {
		want = sys.NiceEngine
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", e.cmd.Process.Pid))
	if err != nil || len(tasks) < 4 {
		t.Fatal(tasks, err)
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			t.Fatal(err)
		}
		if n := niceOf(t, tid); n != want {
			t.Errorf("thread %d has nice %d, not %d", tid, n, want)
		}
	}
}

// sendFlood sends so many messages a second, in bursts of a millisecond, and returns how many it
// sent. sendFlood reads no answers, so the kernel drops those that its buffer does not hold.
func sendFlood(t *testing.T, to string, rate int, length time.Duration) (sent uint64) {
	t.Helper()
	c, err := net.Dial("udp", to)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close()
	var list [][]byte
	for _, tone := range tones {
		list = append(list, packets(t, "/mod/filter1/cutoff", tone.cutoff)...)
	}
	for began := time.Now(); time.Since(began) < length; time.Sleep(time.Millisecond) {
		for due := uint64(time.Since(began).Seconds() * float64(rate)); sent < due; sent++ {
			if _, err := c.Write(list[sent%uint64(len(list))]); err != nil {
				t.Error(err)
				return sent
			}
		}
	}
	return sent
}

// probe sends a message every few milliseconds and measures the time from the packet to its answer,
// which follows the commit.
func probe(ctx context.Context, t *testing.T, to string) (took []time.Duration, lost int) {
	t.Helper()
	c, err := net.Dial("udp", to)
	if err != nil {
		t.Error(err)
		return nil, 0
	}
	defer c.Close()
	buf := make([]byte, 1<<10)
	packet := packets(t, "/engine/amp", float32(1))[0]
	for ctx.Err() == nil {
		began := time.Now()
		if _, err := c.Write(packet); err != nil {
			t.Error(err)
			return took, lost
		}
		_ = c.SetReadDeadline(began.Add(time.Second))
		if _, err := c.Read(buf); err != nil {
			lost++
		} else {
			took = append(took, time.Since(began))
		}
		time.Sleep(3 * time.Millisecond)
	}
	return took, lost
}

// Tens of thousands of messages come while music plays. Every message that the kernel delivers is
// carried out, and a probe among them is answered. No block is concealed. In the short run the
// sound is that of the tape bit for bit.
func TestFlood(t *testing.T) {
	rate, length, long := flood(t)
	e := up(t, "--backend", "null", "--lead", "64")
	e.redundancy()
	before, drops := e.must(), kernelDrops(t, e.must().OSC)
	stop := func() []byte { return nil }
	if !long {
		stop = e.taping()
	}
	stopNotes := e.notesThrough()
	ctx, cancel := context.WithCancel(t.Context())
	type probed struct {
		took []time.Duration
		lost int
	}
	probes := make(chan probed)
	go func() {
		took, lost := probe(ctx, t, before.OSC)
		probes <- probed{took, lost}
	}()
	pids := []int{e.cmd.Process.Pid, os.Getpid()}
	used := []time.Duration{cpuTime(t, pids[0]), cpuTime(t, pids[1])}
	sent := sendFlood(t, before.OSC, rate, length)
	for i, pid := range pids {
		used[i] = (cpuTime(t, pid) - used[i]) / time.Duration(max(sent, 1))
	}
	cancel()
	p := <-probes
	stopNotes()
	after := e.must()
	carried := func() uint64 { return after.Committed - before.Committed }
	for began := time.Now(); carried() < after.OSCStats.Messages-before.OSCStats.Messages && time.Since(began) < replyWait; after = e.must() {
	}
	dropped := kernelDrops(t, before.OSC) - drops
	stats := after.OSCStats
	within, all := 0.0, uint64(0) // the part of the committed packets that took 2 ms or less
	for i, n := range after.OSCDelays {
		n -= before.OSCDelays[i]
		if all += n; i <= 11 { // 2^11 us
			within += float64(n)
		}
	}
	within /= float64(all)
	slices.Sort(p.took)
	at := func(q float64) time.Duration { return p.took[int(q*float64(len(p.took)-1))] }
	if len(p.took) == 0 {
		t.Fatal("no probe was answered")
	}
	t.Logf("%d messages in %v, %.0f a second; %d of all dropped by the kernel, %d carried out; concealed %d, flips %d",
		sent, length, float64(sent)/length.Seconds(), dropped, carried(), after.Concealed-before.Concealed, after.Flips-before.Flips)
	t.Logf("processor time a message: engine %v, sender %v", used[0], used[1])
	t.Logf("from the kernel to the commit: %.2f%% of %d packets within 2.05 ms; by powers of 2 us %v", 100*within, all, after.OSCDelays)
	t.Logf("%d probes, %d lost: from packet to answer 50%% %v, 99%% %v, at most %v", len(p.took), p.lost, at(0.5), at(0.99), at(1))
	// Each message is one command. Those of the notes and of the probe are among them.
	if n := stats.Messages - before.OSCStats.Messages; carried() != n || n+dropped < sent || stats.Dropped+stats.Shed+stats.Failed != 0 {
		t.Errorf("%d came, %d were carried out: %+v", n, carried(), stats)
	}
	if n := after.Concealed - before.Concealed; n != 0 {
		t.Errorf("%d blocks concealed", n)
	}
	if after.FailoversTotal != before.FailoversTotal {
		t.Errorf("%d workers lost", after.FailoversTotal-before.FailoversTotal)
	}
	if tape := stop(); tape != nil {
		if v, err := verifyBytes(tape); err != nil || v.Changed != 0 || v.Blocks == 0 {
			t.Errorf("tape: %+v, %v", v, err)
		}
	}
}
