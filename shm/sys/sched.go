package sys

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Real-time priorities, SCHED_FIFO; docs/threads.md has the reasons. All lie at or below 5, the
// default of a JACK client's thread: workers can use up their lead, while a sound server and its
// clients have none. The engine process has no real-time thread.
const (
	PriorityStandby = 2 // render thread of a ready worker
	PriorityActive  = 3 // render thread of the active worker
	PriorityWatch   = 4 // threads that end a runaway, or flip away from a dead worker
	PriorityDevice  = 5 // thread that calls the audio callback
)

// ThreadFIFO asks for SCHED_FIFO at priority for the calling thread, to which the caller has locked
// its goroutine. It needs CAP_SYS_NICE or RLIMIT_RTPRIO.
func ThreadFIFO(priority int) error { return fifo(0, priority) }

// ThreadOrdinary removes the real-time priority of the calling thread.
func ThreadOrdinary() error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		return fmt.Errorf("SCHED_OTHER: %w", err)
	}
	return nil
}

// MayFIFO returns the error that ThreadFIFO would return. It tries on a thread of its own.
func MayFIFO(priority int) error {
	refused := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked, so the thread ends with the goroutine
		refused <- ThreadFIFO(priority)
	}()
	return <-refused
}

// DeviceFIFO asks for PriorityDevice for the calling thread, unless it is real-time already:
// libjack gives its threads a priority that fits the server.
func DeviceFIFO() error {
	attr, err := unix.SchedGetAttr(0, 0)
	if err == nil {
		switch attr.Policy {
		case unix.SCHED_FIFO, unix.SCHED_RR, unix.SCHED_DEADLINE:
			return nil
		}
	}
	return ThreadFIFO(PriorityDevice)
}

// NiceEngine is the nice value of the engine process and of ordinary threads of its children, the
// same as that of sound servers. Commands and joining workers then precede programs that compute.
const NiceEngine = -11

// ProcessNice sets the nice value of every thread of this process. Later threads inherit it. It
// needs CAP_SYS_NICE or RLIMIT_NICE.
func ProcessNice(nice int) error {
	return eachThread(func(tid int) error {
		if err := unix.Setpriority(unix.PRIO_PROCESS, tid, nice); err != nil {
			return fmt.Errorf("nice %d: %w (allow it with RLIMIT_NICE or CAP_SYS_NICE)", nice, err)
		}
		return nil
	})
}

// eachThread calls do with every thread of this process.
func eachThread(do func(tid int) error) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("threads of this process: %w", err)
	}
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if err := do(tid); err != nil {
			return err
		}
	}
	return nil
}

func fifo(tid, priority int) error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: uint32(priority)}
	if err := unix.SchedSetAttr(tid, &attr, 0); err != nil {
		return fmt.Errorf("SCHED_FIFO %d: %w (allow it with RLIMIT_RTPRIO or CAP_SYS_NICE)", priority, err)
	}
	return nil
}

// LimitRuntime bounds how long a real-time thread of this process may run without sleeping. After
// soft the kernel sends SIGXCPU, after hard it kills the process: RLIMIT_RTTIME in getrlimit(2).
func LimitRuntime(soft, hard time.Duration) error {
	lim := unix.Rlimit{Cur: uint64(soft.Microseconds()), Max: uint64(hard.Microseconds())}
	if err := unix.Setrlimit(unix.RLIMIT_RTTIME, &lim); err != nil {
		return fmt.Errorf("RLIMIT_RTTIME %v: %w", soft, err)
	}
	return nil
}

// LockPages keeps every page of this process in memory from its first use. MCL_ONFAULT leaves out
// the unused address space that the Go runtime reserves.
func LockPages() error {
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("mlockall: %w (allow it with RLIMIT_MEMLOCK or CAP_IPC_LOCK)", err)
	}
	return nil
}

// epoch relates Go's clock to CLOCK_MONOTONIC. Reading the latter costs a system call, time.Since
// does not.
var epoch = func() (e struct {
	at   time.Time
	nano int64
}) {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	e.at, e.nano = time.Now(), ts.Nano()
	return e
}()

// Monotonic returns CLOCK_MONOTONIC in nanoseconds, without a system call. All processes of a
// machine agree to a microsecond.
func Monotonic() int64 { return epoch.nano + int64(time.Since(epoch.at)) }

// MayLock returns why LockPages would fail. A Go program needs CAP_IPC_LOCK or no limit, since its
// reserved addresses count too.
func MayLock() error {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &lim); err == nil && lim.Cur == unix.RLIM_INFINITY {
		return nil
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err == nil && data[0].Effective&(1<<unix.CAP_IPC_LOCK) != 0 {
		return nil
	}
	return fmt.Errorf("RLIMIT_MEMLOCK is %d bytes and CAP_IPC_LOCK is missing (allow it with ulimit -l unlimited)",
		lim.Cur)
}

// Sleep sleeps in the kernel, not in Go's scheduler, so it wakes even if all other threads are held
// up. It may return early.
func Sleep(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&ts, nil)
}
