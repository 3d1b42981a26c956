//go:build !sim

// Package interleave lets a simulation choose in which order the steps of processes happen. The
// code of the protocol calls Yield before each access to a word that another process may change,
// and Wait or Sleep to wait for such a word. In a normal build Yield does nothing, and the others
// are futex calls; in a build with tag sim all three call the simulation.
package interleave

import (
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/shm/sys"
)

// Yield does nothing.
func Yield() {}

// Wait sleeps while *word == val, for at most timeout, behind the back of Go's scheduler.
func Wait(word *atomic.Uint32, val uint32, timeout time.Duration) { sys.FutexWait(word, val, timeout) }

// Sleep is Wait for a goroutine that may sleep for long. It tells Go's scheduler.
func Sleep(word *atomic.Uint32, val uint32, timeout time.Duration) {
	sys.FutexSleep(word, val, timeout)
}
