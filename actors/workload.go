package actors

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// workload is how busy the active worker's process is, in percent of one core, from one look to the next, and the most of that within a while. Somebody
// must look for there to be something to know.
type workload struct {
	mu     sync.Mutex
	pid    int
	at     time.Time
	spent  time.Duration // by the process, until then
	mean   float64
	peak   float64
	peakAt time.Time
}

// Looks that are closer than the first are not made, and a peak is forgotten after the second.
const (
	loadEvery = 500 * time.Millisecond
	peakKept  = 10 * time.Second
)

// of looks at a process. The first look at one is at all of its life.
func (l *workload) of(pid int, now time.Time) (mean, peak float64) {
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

// tick is what the kernel counts processor time in; on Linux it is the same for all that is built for it (sysconf(_SC_CLK_TCK)).
const tick = time.Second / 100

// processTime is how long a process has computed, of how long it has lived.
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

// readProcessTime reads the fields 14, 15 and 22 of /proc/pid/stat, behind the name, which may have anything in it.
func readProcessTime(stat, uptime string) (spent, age time.Duration, err error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("/proc/pid/stat has %d fields behind the name", len(fields))
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
	return time.Duration(ticks[0]+ticks[1]) * tick, time.Duration(now*float64(time.Second)) - time.Duration(ticks[2])*tick, nil
}
