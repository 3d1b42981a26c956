package sys

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// StartTime is when process pid started, in clock ticks since boot: field 22 of proc(5)'s
// stat. ok is false if there is no such process, or it has ended and waits to be reaped.
func StartTime(pid int) (ticks uint64, ok bool) {
	const start = 22 - 3 // state, the first of the fields, is number 3
	fields := stat(pid)
	if len(fields) <= start || fields[0][0] == 'Z' {
		return 0, false
	}
	ticks, err := strconv.ParseUint(string(fields[start]), 10, 64)
	return ticks, err == nil
}

// Stopped tells whether process pid was stopped by a signal, or by a debugger.
func Stopped(pid int) bool {
	fields := stat(pid)
	return len(fields) > 0 && (fields[0][0] == 'T' || fields[0][0] == 't')
}

// stat is the fields of proc(5)'s stat behind the name, which, in parentheses, may hold anything.
func stat(pid int) [][]byte {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	return bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
}

// CPUTime is the processor time that a process has taken, all its threads together.
func CPUTime(pid int) (time.Duration, error) {
	var ts unix.Timespec
	// clock_getcpuclockid(3): the complement of the number, shifted, and CPUCLOCK_SCHED.
	if err := unix.ClockGettime(int32(^pid)<<3|2, &ts); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}
