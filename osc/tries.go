package osc

import (
	"net/netip"
	"sync"
	"time"
)

// Wrong tokens that are borne with in a second. Who guesses is held up, and nobody else; that all together are bounded too keeps the table small, and
// many machines, or one under many addresses, from guessing fast: a thousand a second are 35 bits in a year, and a token has 16 characters.
const (
	authTries = 10   // of one address
	mostTries = 1000 // of all
)

// tries are the wrong tokens of the present second, by address. It is good for any number of goroutines.
type tries struct {
	mu    sync.Mutex
	since time.Time // when the second began
	all   int
	wrong map[netip.Addr]int
}

// held tells whether an address must wait; if not, a wrong token is counted. What is right from who must wait is not looked at.
func (t *tries) held(from netip.Addr, right bool, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.since) >= time.Second {
		t.since, t.all = now, 0
		clear(t.wrong)
	}
	if t.wrong[from] >= authTries || t.all >= mostTries {
		return true
	}
	if !right {
		if t.wrong == nil {
			t.wrong = map[netip.Addr]int{}
		}
		t.wrong[from]++
		t.all++
	}
	return false
}
