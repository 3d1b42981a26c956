package audio

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// livenessWatcher flips away from workers that die. It takes a fraction of a millisecond and does
// not need the engine process, which may be busy or dead. It waits on the words that the kernel
// clears when a worker's threads end: see shm/sys.HoldLivenessWord.
type livenessWatcher struct {
	words   shm.Playback
	journal shm.Journal
	changed atomic.Uint32 // 1: run knows the present workers
	done    chan struct{}

	mu       sync.Mutex // guards the words too: a replaced word may be unmapped at any time
	workers  [shm.MaxSlots]liveness
	quitting bool
}

// liveness is the word of one worker, nil for none.
type liveness struct {
	word    *atomic.Uint32
	started bool
}

// startupPoll is how often run looks at words of workers that still start: a word that becomes 1
// wakes nobody.
const startupPoll = 2 * time.Millisecond

// idlePoll is how often run looks at the words when all workers have started.
const idlePoll = time.Second

func watchLiveness(words shm.Playback, journal shm.Journal) *livenessWatcher {
	w := &livenessWatcher{words: words, journal: journal, done: make(chan struct{})}
	go w.run()
	return w
}

// watch follows the word of slot's new worker. After it returns, the word of the slot's last worker
// is not read any more.
func (w *livenessWatcher) watch(slot int, word *atomic.Uint32) {
	w.change(func() { w.workers[slot] = liveness{word: word} })
}

// stop ends run and waits for its end.
func (w *livenessWatcher) stop() {
	w.change(func() { w.quitting = true })
	<-w.done
}

func (w *livenessWatcher) change(f func()) {
	w.mu.Lock()
	f()
	w.mu.Unlock()
	w.changed.Store(0)
	sys.FutexWake(&w.changed)
}

func (w *livenessWatcher) run() {
	defer close(w.done)
	runtime.LockOSThread() // never unlocked, so the thread ends with the goroutine
	sys.SetName("chronus-deaths")
	words := make([]*atomic.Uint32, 0, len(w.workers)+1)
	_ = sys.ThreadFIFO(sys.PriorityWatch)
	for {
		w.changed.Store(1)
		var tick time.Duration
		words, tick = w.poll(append(words[:0], &w.changed))
		// The kernel checks the addresses: if one was unmapped meanwhile, the wait ends.
		if tick == 0 || !sys.FutexWaitAny(words, tick) {
			return // stopped, or a kernel that lacks the call; then the engine watches pidfds
		}
	}
}

// poll removes workers that have died from the active word, and appends the words of living workers
// to words. tick is how long to wait for those; 0: run ends.
func (w *livenessWatcher) poll(words []*atomic.Uint32) (_ []*atomic.Uint32, tick time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.quitting {
		return words, 0
	}
	tick = idlePoll
	for s := range w.workers {
		l := &w.workers[s]
		switch {
		case l.word == nil:
		case l.word.Load() != 0:
			l.started = true
			words = append(words, l.word)
		case l.started:
			w.words.RemoveWorker(s, w.journal)
			*l = liveness{}
		default:
			tick = startupPoll
		}
	}
	return words, tick
}
