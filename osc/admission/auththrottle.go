package admission

import (
	"net/netip"
	"sync"
	"time"
)

// Wrong tokens allowed in one second. The limit per address delays only the address that guesses.
// The limit of all addresses bounds the table, and slows guessing from many addresses: 1,000 a
// second are 35 bits a year, and a token has at least 16 characters.
const (
	WrongTokensPerAddress = 10
	WrongTokensPerSecond  = 1000
)

// AuthThrottle counts the wrong tokens of the current second by address. The zero value is ready.
// Any number of goroutines may use it.
type AuthThrottle struct {
	mu    sync.Mutex
	since time.Time // when the second began
	all   int
	wrong map[netip.Addr]int
}

// Blocked reports whether an address must wait until the next second. If it need not wait, a wrong
// token is counted. A right token does not unblock an address.
func (t *AuthThrottle) Blocked(from netip.Addr, right bool, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.since) >= time.Second {
		t.since, t.all = now, 0
		clear(t.wrong)
	}
	if t.wrong[from] >= WrongTokensPerAddress || t.all >= WrongTokensPerSecond {
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
