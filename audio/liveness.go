package audio

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// livenessWatcher flips away from workers that die, within a fraction of a millisecond and without the
// engine process, which may be busy, or dead itself. It waits on the words that the kernel clears when a worker's threads
// end; see shm/sys.HoldLife.
type livenessWatcher struct {
	words   shm.Playback
	journal shm.Journal
	changed atomic.Uint32 // 1: lives are as the waiter knows them
	done    chan struct{}

	mu       sync.Mutex // a life's word is read only under it: whoever replaced one may unmap it
	workers  [shm.MaxSlots]liveness
	quitting bool
}

// liveness is one worker's word, nil for none, and whether it was seen to have begun.
type liveness struct {
	word    *atomic.Uint32
	started bool
}

// startupPoll is how often the words are looked at even if nothing woke the waiter: a life that begins wakes nobody.
const startupPoll = 2 * time.Millisecond

// idlePoll is how often while all lives are known to have begun.
const idlePoll = time.Second

func watchLiveness(words shm.Playback, journal shm.Journal) *livenessWatcher {
	d := &livenessWatcher{words: words, journal: journal, done: make(chan struct{})}
	go d.run()
	return d
}

// watch follows the life of slot's new worker from now on. After it, the word of the one before is
// not read any more.
func (d *livenessWatcher) watch(slot int, word *atomic.Uint32) {
	d.change(func() { d.workers[slot] = liveness{word: word} })
}

// stop ends the waiter.
func (d *livenessWatcher) stop() {
	d.change(func() { d.quitting = true })
	<-d.done
}

func (d *livenessWatcher) change(f func()) {
	d.mu.Lock()
	f()
	d.mu.Unlock()
	d.changed.Store(0)
	sys.FutexWake(&d.changed)
}

func (d *livenessWatcher) run() {
	defer close(d.done)
	runtime.LockOSThread() // never unlocked: the thread, with its priority, ends with the goroutine
	sys.SetName("chronus-deaths")
	words := make([]*atomic.Uint32, 0, len(d.workers)+1)
	_ = sys.ThreadFIFO(sys.PriorityWatch)
	for {
		d.changed.Store(1)
		var tick time.Duration
		words, tick = d.poll(append(words[:0], &d.changed))
		// The kernel checks the addresses: one that was unmapped meanwhile ends the wait, as the change does.
		if tick == 0 || !sys.FutexWaitAny(words, tick) {
			return // stopped; or an old kernel, where the engine's pidfd tells
		}
	}
}

// poll deposes those that have died, and lists the words of those that live. tick is how long to wait
// for one of them; 0: no more.
func (d *livenessWatcher) poll(words []*atomic.Uint32) (_ []*atomic.Uint32, tick time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.quitting {
		return words, 0
	}
	tick = idlePoll
	for s := range d.workers {
		l := &d.workers[s]
		switch {
		case l.word == nil:
		case l.word.Load() != 0:
			l.started = true
			words = append(words, l.word)
		case l.started:
			d.words.RemoveWorker(s, d.journal)
			*l = liveness{}
		default:
			tick = startupPoll
		}
	}
	return words, tick
}
