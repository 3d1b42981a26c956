package sys

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Real-time priorities, SCHED_FIFO. docs/threads.md has the table of threads and the reasons. All of
// them lie at or below 5, the default of a JACK client's thread: workers have a lead to spend, a
// sound server and its clients have none. The engine process has no real-time thread.
const (
	PriorityStandby = 2 // the render thread of a ready worker
	PriorityActive  = 3 // the render thread of the active worker
	PriorityWatch   = 4 // the threads that end a runaway, and that flip away from a dead worker
	PriorityDevice  = 5 // the thread that calls the audio callback
)

// ThreadFIFO asks for SCHED_FIFO at the given priority for the calling thread; lock
// the goroutine to its thread first. It needs CAP_SYS_NICE or RLIMIT_RTPRIO.
func ThreadFIFO(priority int) error { return fifo(0, priority) }

// ThreadOrdinary takes the calling thread's real-time priority away: for work that must never keep a render thread waiting.
func ThreadOrdinary() error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		return fmt.Errorf("SCHED_OTHER: %w", err)
	}
	return nil
}

// MayFIFO tells, as an error, why ThreadFIFO would be refused. It tries, on a thread of its own.
func MayFIFO(priority int) error {
	refused := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		refused <- ThreadFIFO(priority)
	}()
	return <-refused
}

// DeviceFIFO asks for PriorityDevice for the calling thread, unless it is real-time already: libjack
// gives its threads the priority that fits the server.
func DeviceFIFO() error {
	attr, err := unix.SchedGetAttr(0, 0)
	if err == nil && (attr.Policy == unix.SCHED_FIFO || attr.Policy == unix.SCHED_RR || attr.Policy == unix.SCHED_DEADLINE) {
		return nil
	}
	return ThreadFIFO(PriorityDevice)
}

// NiceEngine is the nice value of the engine process and of the ordinary threads of its children,
// that of other sound servers: a command, or a worker that joins, precedes programs that compute.
const NiceEngine = -11

// ProcessNice gives every thread that this process has a nice value; those made later inherit it. It needs CAP_SYS_NICE or RLIMIT_NICE.
func ProcessNice(nice int) error {
	return eachThread(func(tid int) error {
		if err := unix.Setpriority(unix.PRIO_PROCESS, tid, nice); err != nil {
			return fmt.Errorf("nice %d: %w (allow it with RLIMIT_NICE or CAP_SYS_NICE)", nice, err)
		}
		return nil
	})
}

// eachThread does something with every thread that this process has.
func eachThread(do func(tid int) error) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("the threads of this process: %w", err)
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

// LimitRuntime bounds the time for which a real-time thread of this process may run without
// sleeping. At soft it gets SIGXCPU, at hard the kernel kills the process (RLIMIT_RTTIME in
// getrlimit(2)).
func LimitRuntime(soft, hard time.Duration) error {
	lim := unix.Rlimit{Cur: uint64(soft.Microseconds()), Max: uint64(hard.Microseconds())}
	if err := unix.Setrlimit(unix.RLIMIT_RTTIME, &lim); err != nil {
		return fmt.Errorf("RLIMIT_RTTIME %v: %w", soft, err)
	}
	return nil
}

// LockPages keeps every page of this process in memory from its first touch on.
// MCL_ONFAULT: the Go runtime reserves far more than it uses, and that stays unbacked.
func LockPages() error {
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("mlockall: %w (allow it with RLIMIT_MEMLOCK or CAP_IPC_LOCK)", err)
	}
	return nil
}

// epoch ties this process's own clock to CLOCK_MONOTONIC: reading the latter costs a
// system call, time.Since does not.
var epoch = func() (e struct {
	at   time.Time
	nano int64
}) {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	e.at, e.nano = time.Now(), ts.Nano()
	return e
}()

// Monotonic returns CLOCK_MONOTONIC in nanoseconds, the same for all processes of a
// machine to a microsecond. It makes no system call.
func Monotonic() int64 { return epoch.nano + int64(time.Since(epoch.at)) }

// MayLock tells, as an error, why LockPages would be refused: a locked Go program needs
// CAP_IPC_LOCK or no limit, since its reserved addresses count too.
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
	return fmt.Errorf("RLIMIT_MEMLOCK is %d bytes and CAP_IPC_LOCK is missing (allow it with ulimit -l unlimited)", lim.Cur)
}

// Sleep sleeps in the kernel, not in Go's scheduler: for a thread that must wake though all others are held up. It may return early.
func Sleep(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&ts, nil)
}
