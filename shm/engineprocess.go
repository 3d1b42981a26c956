package shm

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// SetEngine says which process is the engine.
func (c Control) SetEngine(pid int) { c.w.enginePID.Store(uint64(pid)) }

// SetGrace says how long workers and audio process go on without an engine; 0: for ever.
func (c Control) SetGrace(d time.Duration) { c.w.grace.Store(uint64(d)) }

// AwaitOrphan returns once no engine process has lived for grace: then whoever called
// should end. It never returns if grace is 0. It blocks; call it on a goroutine of its own.
func (v View) AwaitOrphan(grace time.Duration) error {
	if grace == 0 {
		select {}
	}
	for {
		pid := v.w.enginePID.Load()
		if err := sys.AwaitExit(int(pid)); err != nil {
			return fmt.Errorf("watch engine process %d: %w", pid, err)
		}
		for gone := time.Now(); v.w.enginePID.Load() == pid; time.Sleep(grace / 64) {
			if time.Since(gone) >= grace {
				return nil
			}
		}
	}
}
