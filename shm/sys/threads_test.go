package sys

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// countWakeUps prints how often the monitor thread woke, or why it stays awake.
func countWakeUps() int {
	runtime.LockOSThread()
	tid, err := monitorThread()
	if err == nil {
		err = QuietRuntime()
	}
	if err != nil {
		fmt.Println(err)
		return 0
	}
	var never atomic.Uint32
	before := switches(tid)
	for range 300 {
		FutexWait(&never, 0, time.Millisecond) // Go believes that this thread runs
	}
	fmt.Println(switches(tid) - before)
	return 0
}

// switches returns how often a thread of this process has gone to sleep.
func switches(tid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/status", tid))
	if err != nil {
		return -1
	}
	m := regexp.MustCompile(`(?m)^voluntary_ctxt_switches:\s+(\d+)$`).FindSubmatch(b)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// The monitor thread sleeps through what would otherwise wake it at least every 10 ms.
func TestQuietRuntime(t *testing.T) {
	c := exec.Command("/proc/self/exe", quietVerb)
	c.Env = append(os.Environ(), "GOMAXPROCS=16", "GODEBUG=asyncpreemptoff=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	said := strings.TrimSpace(string(out))
	if strings.Contains(said, "CAP_SYS_NICE") {
		t.Logf("refused by this machine: %s", said)
		return
	}
	if n, err := strconv.Atoi(said); err != nil || n < 0 || n > 3 {
		t.Errorf("the monitor thread woke %s times in 300 ms, want 3 at most (30 and more without QuietRuntime)", said)
	}
}

// The processor time of a thread grows while it computes, and stands still while it sleeps.
func TestThreadCPUTime(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tid := ThreadID()
	before, err := ThreadCPUTime(tid)
	if err != nil {
		t.Fatal(err)
	}
	for now := before; now < before+5*time.Millisecond; {
		if now, err = ThreadCPUTime(tid); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ThreadCPUTime(1 << 22); err == nil {
		t.Error("a thread that does not exist has a processor time")
	}
}
