package admission

import (
	"math"
	"net/netip"
	"sync"
	"time"
)

// The rate of a source in messages a second, and its burst after a pause. Each program of this
// machine is a source; of other machines each address is. Callers drop UDP packets above the rate
// unread, and read connections more slowly.
const (
	LocalRate   = 150_000
	LocalBurst  = 50_000
	RemoteRate  = 20_000
	RemoteBurst = 5_000
)

// MessageBytes is the number of bytes that count as one message: of packets, empty frames and
// unfinished packets. Played messages have 20 to 60 bytes and a pattern's steps some hundred, so
// the limit does not slow a performer; reading as many bytes costs less than one message.
const MessageBytes = 128

// Amplification is the number of bytes sent over UDP to another machine for each byte received from
// it, until it has shown the token: its address may be forged. RFC 9000, section 8.1 (QUIC), has
// the same number.
const Amplification = 3

// TrustTime is how long a token shown over UDP stays valid. Over a connection it is valid until the
// connection ends.
const TrustTime = 10 * time.Minute

const (
	maxCredit     = 16 << 10               // bytes of unsent answers that a source may save up
	maxSources    = 1024                   // in each table; the sources beyond share one entry
	sourceTimeout = 10 * time.Second       // after which an idle source may be removed
	sweepInterval = 100 * time.Millisecond // a sweep for each packet would cost more than the packet
)

// source is a token bucket.
type source struct {
	tokens     float64   // messages that may be sent at updated
	updated    time.Time //
	credit     int       // bytes that may be answered
	notifiedAt time.Time // of the last notice that packets are dropped
	trusted    time.Time // end of the trust
}

// RateLimiter bounds what each source may send, and what may be sent to an address that may be
// forged. Other machines have a table of their own, so that packets from forged addresses take no
// entry from a program of this machine. Any number of goroutines may use a RateLimiter.
type RateLimiter struct {
	mu            sync.Mutex
	local, remote table
}

type table struct {
	sources map[netip.AddrPort]*source
	rest    source // shared by the sources that are not in the map
	swept   time.Time
}

// NewRateLimiter returns a limiter that has seen no source.
func NewRateLimiter() *RateLimiter {
	newTable := func() table { return table{sources: map[netip.AddrPort]*source{}} }
	return &RateLimiter{local: newTable(), remote: newTable()}
}

func (l *RateLimiter) table(key netip.AddrPort) *table {
	if key.Addr().IsLoopback() {
		return &l.local
	}
	return &l.remote
}

// keyOf identifies a source: a program of this machine by its port, another machine by its address,
// since changing a port costs nothing.
func keyOf(from netip.AddrPort) netip.AddrPort {
	if from.Addr().IsLoopback() {
		return from
	}
	return netip.AddrPortFrom(from.Addr(), 0)
}

// RateOf returns the rate of a source in messages a second, and its burst in messages.
func RateOf(from netip.AddrPort) (perSecond, burst float64) {
	if from.Addr().IsLoopback() {
		return LocalRate, LocalBurst
	}
	return RemoteRate, RemoteBurst
}

// Cost is what a packet costs its sender, in messages: the messages in it, or its bytes in units of
// MessageBytes if those are more.
func Cost(messages, bytes int) float64 {
	return max(float64(messages), float64(bytes)/MessageBytes)
}

// find returns a source, which it adds if the table has room. l.mu is held.
func (l *RateLimiter) find(key netip.AddrPort, now time.Time) *source {
	t := l.table(key)
	if s := t.sources[key]; s != nil {
		return s
	}
	if len(t.sources) == maxSources && now.Sub(t.swept) >= sweepInterval {
		t.swept = now
		for k, s := range t.sources {
			if now.Sub(s.updated) > sourceTimeout && now.After(s.trusted) {
				delete(t.sources, k)
			}
		}
	}
	if len(t.sources) == maxSources {
		return &t.rest
	}
	_, burst := RateOf(key)
	s := &source{tokens: burst, updated: now}
	t.sources[key] = s
	return s
}

// refill adds the tokens of the time since the last refill.
func (s *source) refill(key netip.AddrPort, now time.Time) {
	rate, burst := RateOf(key)
	if passed := now.Sub(s.updated); passed > 0 {
		s.tokens = min(burst, s.tokens+rate*passed.Seconds())
		s.updated = now
	}
}

// Admit reports whether a source may send a packet of so many bytes at now. If not, wait is the
// time until it may, and notify is true once a second: the caller should then tell the source.
// Charge must follow once the packet's cost is known.
func (l *RateLimiter) Admit(from netip.AddrPort, bytes int, now time.Time) (ok bool, wait time.Duration, notify bool) {
	key := keyOf(from)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.find(key, now)
	s.refill(key, now)
	s.credit = min(maxCredit, s.credit+Amplification*bytes)
	if s.tokens > 0 {
		return true, 0, false
	}
	if now.Sub(s.notifiedAt) >= time.Second {
		s.notifiedAt, notify = now, true
	}
	rate, _ := RateOf(key)
	return false, time.Duration((1-s.tokens)/rate*1e9) + time.Millisecond, notify
}

// Charge subtracts a cost in messages from a source. The source may go into debt, since the cost of
// a packet is known only after decoding.
func (l *RateLimiter) Charge(from netip.AddrPort, cost float64) {
	key := keyOf(from)
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.table(key)
	s := &t.rest
	if known := t.sources[key]; known != nil {
		s = known
	}
	s.tokens -= cost
}

// Room is the number of bytes that may be sent over UDP to an address at now.
func (l *RateLimiter) Room(to netip.AddrPort, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trusts(to, now) {
		return math.MaxInt32
	}
	return l.find(keyOf(to), now).credit
}

// Spend takes room for an answer over UDP. It returns false if there is too little.
func (l *RateLimiter) Spend(to netip.AddrPort, bytes int, now time.Time) bool {
	if to.Addr().IsLoopback() {
		return true // without the lock: most answers go to this machine
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trusts(to, now) {
		return true
	}
	s := l.find(keyOf(to), now)
	if s.credit < bytes {
		return false
	}
	s.credit -= bytes
	return true
}

// Trust records that an address, port included, has shown the token at now. An address that finds
// no entry in the table stays untrusted.
func (l *RateLimiter) Trust(at netip.AddrPort, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.find(at, now); s != &l.table(at).rest {
		s.trusted = now.Add(TrustTime)
	}
}

// Trusted reports whether an address, port included, belongs to this machine or has shown the
// token.
func (l *RateLimiter) Trusted(at netip.AddrPort, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trusts(at, now)
}

func (l *RateLimiter) trusts(at netip.AddrPort, now time.Time) bool {
	if at.Addr().IsLoopback() {
		return true
	}
	s := l.remote.sources[at]
	return s != nil && now.Before(s.trusted)
}
