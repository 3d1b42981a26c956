package sys

import (
	"bytes"
	"os"
	"strconv"
)

// StartTime is when process pid started, in clock ticks since boot: field 22 of proc(5)'s
// stat. ok is false if there is no such process, or it has ended and waits to be reaped.
func StartTime(pid int) (ticks uint64, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	// The name, in parentheses, may hold anything: the fields are counted from its end.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	const state, start = 0, 22 - 3 // the name is field 2
	if len(fields) <= start || fields[state][0] == 'Z' {
		return 0, false
	}
	ticks, err = strconv.ParseUint(string(fields[start]), 10, 64)
	return ticks, err == nil
}
