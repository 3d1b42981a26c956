package admission

import "net/netip"

// MaxSources and SourceTimeout are the limits of a RateLimiter's tables.
const (
	MaxSources    = maxSources
	SourceTimeout = sourceTimeout
)

// Addresses is the number of addresses with wrong tokens.
func (t *AuthThrottle) Addresses() int { return len(t.wrong) }

// RemoteSources is the number of other machines in the table.
func (l *RateLimiter) RemoteSources() int { return len(l.remote.sources) }

// Knows reports whether another machine is in the table.
func (l *RateLimiter) Knows(from netip.AddrPort) bool { return l.remote.sources[keyOf(from)] != nil }

// Held returns the places that this machine and the others hold, and the number of other machines.
func (q *Quota) Held() (here, away, machines int) { return q.here, q.away, len(q.taken) }

// Held is that of the table's quota.
func (t *ConnTable) Held() (here, away, machines int) { return t.quota.Held() }
