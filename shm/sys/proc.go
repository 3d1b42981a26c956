package sys

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// StartTime returns when process pid started, in clock ticks since boot: field 22 of stat in
// proc(5). ok is false if the process does not exist, or has ended and was not reaped yet.
func StartTime(pid int) (ticks uint64, ok bool) {
	const start = 22 - 3 // state, the first field, is number 3
	fields := stat(pid)
	if len(fields) <= start || fields[0][0] == 'Z' {
		return 0, false
	}
	ticks, err := strconv.ParseUint(string(fields[start]), 10, 64)
	return ticks, err == nil
}

// Stopped reports whether a signal or a debugger has stopped process pid.
func Stopped(pid int) bool {
	fields := stat(pid)
	return len(fields) > 0 && (fields[0][0] == 'T' || fields[0][0] == 't')
}

// stat returns the fields of stat in proc(5) after the name. The name, in parentheses, may hold
// spaces.
func stat(pid int) [][]byte {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	return bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
}

// CPUTime returns the processor time that all threads of a process have used.
func CPUTime(pid int) (time.Duration, error) {
	var ts unix.Timespec
	// clock_getcpuclockid(3): the shifted complement of the pid, and CPUCLOCK_SCHED.
	if err := unix.ClockGettime(int32(^pid)<<3|2, &ts); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}
