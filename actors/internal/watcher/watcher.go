// Package watcher polls the processes of an engine.
package watcher

import (
	"math/rand/v2"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// The time between two ticks of the Watcher. The end of a process wakes it at once.
const (
	busyTick = 500 * time.Microsecond // while a worker starts, joins or ends
	idleTick = 5 * time.Millisecond
)

// Watched is what a Watcher looks after. replica.Set implements it.
type Watched interface {
	// Watched appends the pidfds of the living processes. busy means that a worker starts, joins or
	// ends.
	Watched(fds []sys.PollFD) (list []sys.PollFD, busy bool)
	// Reap handles the end of the process with that pidfd.
	Reap(fd int, now time.Time)
	// Tick moves every worker on by what has become true since the last tick.
	Tick(now time.Time)
}

// Watcher polls the pidfds, reaps processes that have ended, flips if the audio process has not
// done so, and moves joining workers on. A Watcher is a goroutine and not an actor: the lead is at
// stake, and a mailbox has no priorities.
type Watcher struct {
	set    Watched
	sample func()
	quit   chan struct{}
	done   chan struct{}
}

// Start starts a Watcher, which calls sample, unless nil, at each tick.
func Start(set Watched, sample func()) *Watcher {
	w := &Watcher{set: set, sample: sample, quit: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// Stop ends the Watcher and waits for it.
func (w *Watcher) Stop() {
	close(w.quit)
	<-w.done
}

func (w *Watcher) run() {
	defer close(w.done)
	var (
		fds     []sys.PollFD
		scratch sys.PollScratch
		busy    bool
	)
	for {
		select {
		case <-w.quit:
			return
		default:
		}
		fds, busy = w.set.Watched(fds[:0])
		tick := idleTick
		if busy {
			tick = busyTick
		}
		// The ticks vary: at an even pace, all could come just before the clock moves.
		scratch = sys.Poll(fds, scratch, tick+rand.N(tick/4))
		if w.sample != nil {
			w.sample()
		}
		now := time.Now()
		for _, f := range fds {
			if f.Ready {
				w.set.Reap(f.FD, now)
			}
		}
		w.set.Tick(now)
	}
}
