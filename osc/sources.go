package osc

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// What a source may send, in messages a second, and how many at once after a pause. This machine's programs are each a
// source, of other machines each address is. Over UDP what is more is dropped unread; a connection is read more slowly.
const (
	localRate   = 150_000
	localBurst  = 50_000
	remoteRate  = 20_000
	remoteBurst = 5_000
)

// messageBytes count as one message, whatever they are: packets, frames with nothing in them, packets that do not end. What is played has 20 to 60 bytes,
// steps of a pattern as text some hundred, so that nobody who plays is held up by it; and to read so many costs less than a message.
const messageBytes = 128

// amplify is how many bytes may go to another machine for each that came from it by UDP, as long as it has shown no token:
// its address may be forged. (QUIC's number, RFC 9000, section 8.1.)
const amplify = 3

// mostCredit bounds what such answers may save up, in bytes.
const mostCredit = 16 << 10

// mostSources bounds the table of this machine's sources, and that of the others'. Those beyond share one entry of each: what other machines
// send, from forged addresses too, takes no place from a program here.
const mostSources = 1024

// sourceIdle is after how long a source is forgotten when room is needed.
const sourceIdle = 10 * time.Second

// source is what is known of one.
type source struct {
	tokens  float64   // messages that it may send now
	at      time.Time // when that was so
	credit  int       // bytes that may be answered
	toldAt  time.Time // when it was last told that it sends too much
	trusted time.Time // until then
}

// sources bounds what each sender may do. It is good for any number of goroutines.
type sources struct {
	mu           sync.Mutex
	here, beyond register
}

// register is the sources of this machine, or of the others.
type register struct {
	table map[netip.AddrPort]*source
	rest  source // of all that are not in the table
	swept time.Time
}

// sweepEvery is how often room is looked for: to go through the table for each packet of a flood would cost more than the packet.
const sweepEvery = 100 * time.Millisecond

func newSources() *sources {
	return &sources{here: register{table: map[netip.AddrPort]*source{}}, beyond: register{table: map[netip.AddrPort]*source{}}}
}

// in is where a source is.
func (t *sources) in(key netip.AddrPort) *register {
	if key.Addr().IsLoopback() {
		return &t.here
	}
	return &t.beyond
}

// sourceKey is what a sender is known by: a program here, a machine elsewhere, whose port costs nothing to change.
func sourceKey(from netip.AddrPort) netip.AddrPort {
	if from.Addr().IsLoopback() {
		return from
	}
	return netip.AddrPortFrom(from.Addr(), 0)
}

// rates of a source: this machine's programs may do more.
func rates(key netip.AddrPort) (rate, burst float64) {
	if key.Addr().IsLoopback() {
		return localRate, localBurst
	}
	return remoteRate, remoteBurst
}

// rateText is a source's rate in words.
func rateText(from netip.AddrPort) string {
	rate, _ := rates(from)
	return fmt.Sprintf("%.0f messages, or %.0f bytes,", rate, rate*messageBytes)
}

// of finds a source, or makes it. The table is locked.
func (t *sources) of(key netip.AddrPort, now time.Time) *source {
	in := t.in(key)
	if s := in.table[key]; s != nil {
		return s
	}
	if len(in.table) == mostSources && now.Sub(in.swept) >= sweepEvery {
		in.swept = now
		for k, s := range in.table {
			if now.Sub(s.at) > sourceIdle && now.After(s.trusted) {
				delete(in.table, k)
			}
		}
	}
	if len(in.table) == mostSources {
		return &in.rest
	}
	_, burst := rates(key)
	s := &source{tokens: burst, at: now}
	in.table[key] = s
	return s
}

// fill lets time pass for a source.
func (s *source) fill(key netip.AddrPort, now time.Time) {
	rate, burst := rates(key)
	if passed := now.Sub(s.at); passed > 0 {
		s.tokens = min(burst, s.tokens+rate*passed.Seconds())
		s.at = now
	}
}

// admit tells whether a source may send a packet of so many bytes now; if not, after how long, and whether to say so.
func (t *sources) admit(key netip.AddrPort, bytes int, now time.Time) (ok bool, wait time.Duration, tell bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.of(key, now)
	s.fill(key, now)
	s.credit = min(mostCredit, s.credit+amplify*bytes)
	if s.tokens > 0 {
		return true, 0, false
	}
	if now.Sub(s.toldAt) >= time.Second {
		s.toldAt, tell = now, true
	}
	rate, _ := rates(key)
	return false, time.Duration((1-s.tokens)/rate*1e9) + time.Millisecond, tell
}

// account charges a packet with so many messages to who sent it: these, or its bytes if they weigh more. Of a connection the bytes have been
// charged already.
func (s *Server) account(from Peer, messages, bytes int) {
	count, weight := float64(max(messages, 1)), float64(bytes)/messageBytes
	if from.Stream() {
		s.guests.sources.charge(sourceKey(from.addr), max(count-weight, 0))
		return
	}
	s.sources.charge(sourceKey(from.addr), max(count, weight))
}

// charge takes what came, in messages, from its source: it may go into debt, since nobody knows before what a packet holds.
func (t *sources) charge(key netip.AddrPort, cost float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	in := t.in(key)
	s := &in.rest
	if known := in.table[key]; known != nil {
		s = known
	}
	s.tokens -= cost
}

// room is how many bytes may be sent by UDP to an address.
func (t *sources) room(to netip.AddrPort, now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trusts(to, now) {
		return MaxPacket
	}
	return t.of(sourceKey(to), now).credit
}

// spend takes the room for an answer; it is false if there is too little.
func (t *sources) spend(to netip.AddrPort, bytes int, now time.Time) bool {
	if to.Addr().IsLoopback() {
		return true // without the lock: most answers are this machine's
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trusts(to, now) {
		return true
	}
	s := t.of(sourceKey(to), now)
	if s.credit < bytes {
		return false
	}
	s.credit -= bytes
	return true
}

// trust notes that an address, port included, has shown the token.
func (t *sources) trust(at netip.AddrPort, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.of(at, now); s != &t.in(at).rest {
		s.trusted = now.Add(authLasts)
	}
}

// trusted tells whether an address is this machine's, or has shown the token.
func (t *sources) trusted(at netip.AddrPort, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trusts(at, now)
}

func (t *sources) trusts(at netip.AddrPort, now time.Time) bool {
	if at.Addr().IsLoopback() {
		return true
	}
	s := t.beyond.table[at]
	return s != nil && now.Before(s.trusted)
}
