package worker

import (
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// watchdog detects a render thread that does not finish its block. It measures the thread's
// processor time, not real time: a thread that gets no processor is not endless.
type watchdog struct {
	thread int           // the render thread
	limit  time.Duration // processor time of one block

	block uint64
	since time.Duration // the thread's processor time when the block was first seen
}

// endless reports whether the thread exceeds the limit, after used processor time.
func (w *watchdog) endless(now shm.Status, used time.Duration) bool {
	if !now.Rendering {
		w.since = 0
		return false
	}
	if now.Block != w.block || w.since == 0 {
		w.block, w.since = now.Block, used
		return false
	}
	return used-w.since > w.limit
}

// The limit is the length of blockTimes blocks, but at least leastLimit: a virtual machine counts
// time for which its host stalls, such as 20 ms, as processor time of the thread.
const (
	leastLimit = 40 * time.Millisecond
	blockTimes = 4
)

// blockLimit is the most processor time of one block.
func (l *loop) blockLimit() time.Duration {
	g := l.view.Geometry()
	return max(leastLimit, blockTimes*time.Duration(g.Block)*time.Second/time.Duration(g.Rate))
}

// role is the worker's role, which decides the priority of its render thread.
type role int

const (
	joining role = iota // catches up: must not take a core from a worker that plays
	standby
	active
)

// schedule gives the calling thread the priority of a role. It ignores refusals: the engine has
// told the user.
func schedule(s role) {
	switch s {
	case joining:
		_ = sys.ThreadOrdinary()
	case standby:
		_ = sys.ThreadFIFO(sys.PriorityStandby)
	case active:
		_ = sys.ThreadFIFO(sys.PriorityActive)
	}
}
