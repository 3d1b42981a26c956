package osc

import (
	"sync"
	"time"
)

// failsPerSecond bounds the answers that a forged sender could have us flood somebody with: 200 a second, of at
// most 572 bytes each, are 115 kB/s.
const failsPerSecond = 200

// limiter lets so many pass in a second. It is good for any number of goroutines.
type limiter struct {
	most int

	mu     sync.Mutex
	since  time.Time // when the second began
	passed int
}

// pass tells whether one more may, at a time that never goes back.
func (l *limiter) pass(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) >= time.Second {
		l.since, l.passed = now, 0
	}
	if l.passed == l.most {
		return false
	}
	l.passed++
	return true
}
