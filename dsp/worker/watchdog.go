package worker

import (
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// watchdog finds a render thread that does not get on with its block. It counts the processor time
// of that thread, not time on the clock: a thread that gets no processor is not endless.
type watchdog struct {
	thread int           // the render thread
	limit  time.Duration // of processor time in one block

	block uint64
	since time.Duration // what the thread had used when the block was first seen
}

// endless tells whether the thread, which has now used so much processor time, has exceeded the limit.
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

// The limit is the time that blockTimes blocks last, but at least leastLimit. A virtual machine that its
// host holds up for 20 ms counts that as processor time of the thread.
const (
	leastLimit = 40 * time.Millisecond
	blockTimes = 4
)

// blockLimit is how much processor time one block may take before it counts as endless.
func (l *loop) blockLimit() time.Duration {
	g := l.view.Geometry()
	return max(leastLimit, blockTimes*time.Duration(g.Block)*time.Second/time.Duration(g.Rate))
}

// role is what a worker is to the callback, which decides the priority of its render thread.
type role int

const (
	joining role = iota // it catches up: it must not take a core from a worker that plays
	standby
	active
)

// schedule gives the calling thread the priority of its standing. A refusal is bearable: the engine
// has told the user.
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
