package meter

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Load measures how busy a process is, in percent of one core: from one sample to the next, and the
// most within the last ten seconds. The zero Load is ready to use.
type Load struct {
	mu     sync.Mutex
	pid    int
	at     time.Time
	spent  time.Duration // processor time of the process until at
	mean   float64
	peak   float64
	peakAt time.Time
}

const (
	loadEvery = 500 * time.Millisecond // samples that are closer return the last result
	peakKept  = 10 * time.Second
)

// Sample returns the load of a process since the last sample. The first sample of a process covers
// all of its life.
func (l *Load) Sample(pid int, now time.Time) (mean, peak float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pid == l.pid && now.Sub(l.at) < loadEvery {
		return l.mean, l.peak
	}
	spent, age, err := processTime(pid)
	if err != nil {
		return l.mean, l.peak
	}
	if passed := now.Sub(l.at); pid == l.pid {
		spent, age = spent-l.spent, passed
		l.spent += spent
	} else {
		l.pid, l.spent = pid, spent
	}
	l.at = now
	if l.mean = 0; age > 0 {
		l.mean = 100 * spent.Seconds() / age.Seconds()
	}
	if l.mean >= l.peak || now.Sub(l.peakAt) > peakKept {
		l.peak, l.peakAt = l.mean, now
	}
	return l.mean, l.peak
}

// clockTick is the unit in which the kernel counts processor time. Linux uses the same one for all
// programs (sysconf(_SC_CLK_TCK)).
const clockTick = time.Second / 100

// processTime returns how long a process has computed, and how long it has lived.
func processTime(pid int) (spent, age time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	up, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, 0, err
	}
	return readProcessTime(string(stat), string(up))
}

// readProcessTime reads the fields 14, 15 and 22 of /proc/pid/stat. They come after the name, which
// may contain any character.
func readProcessTime(stat, uptime string) (spent, age time.Duration, err error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("/proc/pid/stat has %d fields after the name", len(fields))
	}
	var ticks [3]int64
	for i, f := range []int{11, 12, 19} {
		if ticks[i], err = strconv.ParseInt(fields[f], 10, 64); err != nil {
			return 0, 0, fmt.Errorf("/proc/pid/stat: %w", err)
		}
	}
	first, _, _ := strings.Cut(uptime, " ")
	now, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("/proc/uptime: %w", err)
	}
	return time.Duration(ticks[0]+ticks[1]) * clockTick, time.Duration(now*float64(time.Second)) - time.Duration(ticks[2])*clockTick, nil
}
