//go:build !sim

package shm

import (
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// Laps is how many blocks the journal and the heard log reach back.
const Laps = 65536

// CommandEntries is how many commands a ring holds: a burst of 100,000 a second for 160 ms.
const CommandEntries = 16384

// yield stands before each access to a word that another process may change or read. It is nothing, but in a
// simulation (yield_sim.go), where another process may go on there.
func yield() {}

// wait sleeps while *word == val, for at most timeout.
func wait(word *atomic.Uint32, val uint32, timeout time.Duration) { sys.FutexWait(word, val, timeout) }

// longWait is wait for long: Go's scheduler is told.
func longWait(word *atomic.Uint32, val uint32, timeout time.Duration) {
	sys.FutexSleep(word, val, timeout)
}
