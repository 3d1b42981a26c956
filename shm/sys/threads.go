package sys

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// idleSlack is how late the kernel may wake Go's monitor thread: 1 hour, in nanoseconds.
const idleSlack = "3600000000000"

// QuietRuntime keeps Go's monitor thread (sysmon) asleep in this process. The monitor asks a
// goroutine that has run for 10 ms to yield. A render thread keeps its scheduler processor, so the
// monitor asks it each time. The goroutine then waits until another thread, of ordinary priority,
// hands it back.
//
// The monitor sleeps by nanosleep(2), so an hour of timer slack makes it sleep for an hour. Without
// the monitor, a goroutine that blocks in a system call keeps its scheduler processor: GOMAXPROCS
// must exceed the number of such goroutines. Writing the slack of another thread needs
// CAP_SYS_NICE.
func QuietRuntime() error {
	tid, err := monitorThread()
	if err != nil {
		return err
	}
	// /proc/self/task/TID lacks the file; /proc/TID has it for every thread.
	path := fmt.Sprintf("/proc/%d/timerslack_ns", tid)
	if err := os.WriteFile(path, []byte(idleSlack), 0); err != nil {
		return fmt.Errorf("timer slack of Go's monitor thread: %w (allow it with CAP_SYS_NICE)", err)
	}
	return nil
}

// monitorThread returns the thread that runs sysmon. The Go runtime starts it before any other.
func monitorThread() (tid int, err error) {
	d, err := os.Open("/proc/self/task")
	if err != nil {
		return 0, fmt.Errorf("threads of this process: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1) // in order of creation
	if err != nil {
		return 0, fmt.Errorf("threads of this process: %w", err)
	}
	if len(names) < 2 {
		return 0, fmt.Errorf("threads of this process: %d, want 2 or more", len(names))
	}
	return strconv.Atoi(names[1])
}

// ThreadID returns the kernel's number of the calling thread. The caller locks its goroutine to the
// thread.
func ThreadID() int { return unix.Gettid() }

// ThreadCPUTime returns the processor time that thread tid of this process has used.
func ThreadCPUTime(tid int) (time.Duration, error) {
	const perThread = 6 // CPUCLOCK_SCHED | CPUCLOCK_PERTHREAD_MASK, see pthread_getcpuclockid(3)
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^tid)<<3|perThread, &ts); err != nil {
		return 0, fmt.Errorf("processor time of thread %d: %w", tid, err)
	}
	return time.Duration(ts.Nano()), nil
}
