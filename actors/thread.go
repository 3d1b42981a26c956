package actors

import (
	"runtime"

	"github.com/music-chronus/chronus/shm/sys"
)

// thread runs functions one after the other on an OS thread of its own, with real-time priority
// where that is allowed. A child that it starts inherits the priority, so that its start is not
// held up by a busy machine.
type thread struct {
	work chan func()
	done chan struct{}
}

func newThread(priority int) *thread {
	t := &thread{work: make(chan func(), 16), done: make(chan struct{})}
	go func() {
		defer close(t.done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		_ = sys.ThreadFIFO(priority)
		for f := range t.work {
			f()
		}
	}()
	return t
}

// do runs f on the thread and waits for it.
func (t *thread) do(f func()) {
	ran := make(chan struct{})
	t.work <- func() { defer close(ran); f() }
	<-ran
}

// later has f run on the thread, without waiting; it is dropped if too much waits already.
func (t *thread) later(f func()) {
	select {
	case t.work <- f:
	default:
	}
}

// stop ends the thread.
func (t *thread) stop() {
	close(t.work)
	<-t.done
}
