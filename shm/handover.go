package shm

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// WorkerSocket is the descriptor that a worker process finds at its start. A process may be
// started before there is a place for it: what it is to work with comes over the socket, in one packet with
// the descriptors in this order.
const WorkerSocket = 3

// The order of a worker's descriptors.
const (
	WorkerEngine = iota
	WorkerJournal
	WorkerSlot
	WorkerSnapshot
	WorkerPlans
	WorkerSeed
	WorkerKept // never mapped: held for an engine after this one
	WorkerFDs  // how many
)

// WorkerOrder gives a worker process its place.
type WorkerOrder struct {
	Slot    int    `json:"slot"`
	Samples string `json:"samples,omitempty"` // the folder of the samples that the plan names
}

// The descriptors that the audio process finds at its start. Rings follow over a connection to its listener: of this
// engine, or of one after it.
const (
	AudioEngine = 3 + iota
	AudioJournal
	AudioListener
	AudioKept  // never mapped: held for an engine after this one
	AudioPlans // likewise
)

// SetEngine says which process is the engine.
func (c Control) SetEngine(pid int) { c.w.engine.Store(uint64(pid)) }

// SetGrace says how long workers and audio process go on without an engine; 0: for ever.
func (c Control) SetGrace(d time.Duration) { c.w.grace.Store(uint64(d)) }

// AwaitOrphan returns once no engine process has lived for grace: then whoever called
// should end. It never returns if grace is 0. It blocks; call it on a goroutine of its own.
func (v View) AwaitOrphan(grace time.Duration) error {
	if grace == 0 {
		select {}
	}
	for {
		pid := v.w.engine.Load()
		if err := sys.AwaitExit(int(pid)); err != nil {
			return fmt.Errorf("watch engine process %d: %w", pid, err)
		}
		for gone := time.Now(); v.w.engine.Load() == pid; time.Sleep(grace / 64) {
			if time.Since(gone) >= grace {
				return nil
			}
		}
	}
}
