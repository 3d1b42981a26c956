package sys

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// idleSlack is how late the kernel may wake Go's monitor thread: an hour, in nanoseconds.
const idleSlack = "3600000000000"

// QuietRuntime keeps Go's monitor thread (sysmon) from waking in this process. That thread asks a
// goroutine that has run for 10 ms to yield. A render thread never gives its processor back to Go's
// scheduler, so it is asked each time, and then it waits until another thread, of ordinary priority,
// hands the goroutine back to it.
//
// The monitor sleeps by nanosleep(2), so an hour of timer slack lets it sleep for an hour. Without
// the monitor nobody takes the processor of a goroutine that blocks in a system call: GOMAXPROCS must
// exceed the number of such goroutines. Writing the slack of another thread needs CAP_SYS_NICE.
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

// monitorThread is the thread that runs sysmon: the Go runtime starts it before any other.
func monitorThread() (tid int, err error) {
	d, err := os.Open("/proc/self/task")
	if err != nil {
		return 0, fmt.Errorf("threads of this process: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1) // in the order in which the threads were created
	if err != nil {
		return 0, fmt.Errorf("threads of this process: %w", err)
	}
	if len(names) < 2 {
		return 0, fmt.Errorf("threads of this process: %d, want 2 or more", len(names))
	}
	return strconv.Atoi(names[1])
}

// ThreadID returns the kernel's number of the calling thread. Lock the goroutine to it first.
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
