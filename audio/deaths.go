package audio

import (
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// deaths flips away from workers that die, within a fraction of a millisecond and without the
// engine process, which may be busy, or dead itself. It waits on the words that the kernel clears when a worker's threads
// end; see shm/sys.HoldLife.
type deaths struct {
	words   shm.Playback
	journal shm.Journal
	lives   [shm.MaxSlots]atomic.Pointer[life]
	changed atomic.Uint32 // 1: lives are as the waiter knows them
}

// life is one worker's, and whether it was seen to have begun.
type life struct {
	word  *atomic.Uint32
	lived bool
}

// deathTick is how often the words are looked at even if nothing woke the waiter: a life that begins wakes nobody.
const deathTick = 2 * time.Millisecond

// watch follows the life of slot's new worker from now on, instead of the one before.
func (d *deaths) watch(slot int, word *atomic.Uint32) {
	d.lives[slot].Store(&life{word: word})
	d.changed.Store(0)
	sys.FutexWake(&d.changed)
}

// run waits for deaths, for as long as the process lives.
func (d *deaths) run() {
	var words []*atomic.Uint32
	for {
		d.changed.Store(1)
		words = append(words[:0], &d.changed)
		tick := time.Duration(0)
		for s := range d.lives {
			l := d.lives[s].Load()
			if l == nil {
				continue
			}
			switch alive := l.word.Load() != 0; {
			case alive:
				l.lived = true
				words = append(words, l.word)
			case l.lived:
				d.words.Depose(s, d.journal)
				d.lives[s].CompareAndSwap(l, nil)
			default:
				tick = deathTick
			}
		}
		if tick == 0 {
			tick = time.Second
		}
		if !sys.FutexWaitAny(words, tick) {
			return // an old kernel: the engine's pidfd tells, some tenths of a millisecond later
		}
	}
}
