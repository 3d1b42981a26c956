package admission

import (
	"sync"
	"time"
)

// Limiter passes at most a fixed number of events in each second. Any number of goroutines may use
// it.
type Limiter struct {
	most int

	mu     sync.Mutex
	since  time.Time // when the second began
	passed int
}

// NewLimiter returns a limiter of perSecond events a second.
func NewLimiter(perSecond int) *Limiter { return &Limiter{most: perSecond} }

// Pass reports whether one more event may pass at now, which must never go back.
func (l *Limiter) Pass(now time.Time) bool {
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
