//go:build sim

package shm

import (
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// Laps is how many blocks the journal and the heard log reach back: few, so that a simulation laps them.
const Laps = 512

// CommandEntries is how many commands a ring holds: few, so that a simulation fills it.
const CommandEntries = 32

// Yield, if not nil, is called before each access to a word that another process may change or read. It
// returns when the scheduler of the simulation lets the caller go on.
var Yield func()

// Sleep, if not nil, is called instead of sleeping while *word == val.
var Sleep func(word *atomic.Uint32, val uint32)

func yield() {
	if Yield != nil {
		Yield()
	}
}

func wait(word *atomic.Uint32, val uint32, timeout time.Duration) {
	if Sleep == nil {
		sys.FutexWait(word, val, timeout)
		return
	}
	Sleep(word, val)
}

func longWait(word *atomic.Uint32, val uint32, timeout time.Duration) {
	if Sleep == nil {
		sys.FutexSleep(word, val, timeout)
		return
	}
	Sleep(word, val)
}

// Segment is what the writer writes into, for a simulated process to unmap at its end.
func (w AudioWriter) Segment() *Segment { return w.r.seg }

// Segment is what the writer writes into, for a simulated process to unmap at its end.
func (w SnapshotWriter) Segment() *Segment { return w.seg }

// Spoil flips a bit of the segment's header, so that no process can attach it from now on.
func (s *Segment) Spoil() { s.header().Magic ^= 1 << 41 }

// Spoiled tells whether Spoil was called for the segment, by whatever mapping.
func (s *Segment) Spoiled() bool { return s.header().Magic != magic }
