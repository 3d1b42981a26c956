//go:build sim

package interleave

import (
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// OnYield is called by Yield, if set. It returns when the caller may go on.
var OnYield func()

// OnWait is called by Wait and Sleep, if set, in place of the futex call.
var OnWait func(word *atomic.Uint32, val uint32)

// Yield lets the simulation run another process.
func Yield() {
	if OnYield != nil {
		OnYield()
	}
}

// Wait sleeps while *word == val. A simulation ignores timeout.
func Wait(word *atomic.Uint32, val uint32, timeout time.Duration) {
	if OnWait == nil {
		sys.FutexWait(word, val, timeout)
		return
	}
	OnWait(word, val)
}

// Sleep is Wait for a goroutine that may sleep for long.
func Sleep(word *atomic.Uint32, val uint32, timeout time.Duration) {
	if OnWait == nil {
		sys.FutexSleep(word, val, timeout)
		return
	}
	OnWait(word, val)
}
