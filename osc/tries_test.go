package osc

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// hear has a server read a message as if it came over a connection from an address, and is its answer.
func (s *Server) hear(t *testing.T, r *reader, from netip.AddrPort, packet []byte) string {
	t.Helper()
	c := s.newConn(from, "tcp", nil)
	r.packet(packet, Peer{from, c})
	if len(c.out) != 1 {
		t.Fatalf("%d answers", len(c.out))
	}
	got, _ := seen(c.out[0])
	return got[0]
}

// Who guesses is held up, under whatever port; others are not. What is forged in somebody's name holds him up by UDP, until he has shown the token, and
// never by a connection.
func TestGuessesHoldUpWhoGuesses(t *testing.T) {
	s, r := mute(t, Access{Allow: anywhere, Token: testToken})
	guess, show := encode(t, "/auth", "guess guess guess"), encode(t, "/auth", testToken)
	told := func() string {
		got, _ := s.sent()
		return strings.Join(got, "; ")
	}
	const held = `/fail "/auth" "too many wrong tokens: wait a second"`
	s.tries.udp.since, s.tries.stream.since = time.Now().Add(time.Hour), time.Now().Add(time.Hour) // all is within one second
	for i := range authTries {
		s.datagram(r, guess, netip.AddrPortFrom(far.Addr(), uint16(i+1)))
	}
	told()
	s.datagram(r, show, far)
	if got := told(); got != held || s.sources.trusted(far, time.Now()) {
		t.Errorf("who guessed is told %s", got)
	}
	third := netip.MustParseAddrPort("192.0.2.99:4000")
	s.datagram(r, show, third)
	if got := told(); got != `/done "/auth"` {
		t.Errorf("who did not guess is told %s", got)
	}
	if got := s.hear(t, r, far, show); got != `/done "/auth"` {
		t.Errorf("by a connection the one that guesses were forged of is told %s", got)
	}
	for range 2 * authTries {
		s.datagram(r, guess, third)
	}
	told()
	s.datagram(r, show, third)
	if got := told(); got != `/done "/auth"` {
		t.Errorf("who has shown the token, and shows it again, is told %s", got)
	}
	for range authTries {
		s.hear(t, r, far, guess)
	}
	if got := s.hear(t, r, far, show); got != held {
		t.Errorf("who guesses by connections is told %s", got)
	}
	for range authTries {
		s.datagram(r, guess, near)
	}
	told()
	s.datagram(r, show, near)
	if got := told(); got != held {
		t.Errorf("a program here that guesses is told %s", got)
	}
}

// All guesses together are bounded, and with them the table.
func TestGuessesAreBounded(t *testing.T) {
	var counts tries
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	begin, looked := time.Now(), 0
	for i := range 3 * mostTries {
		if !counts.held(at(i), false, begin) {
			looked++
		}
	}
	if looked != mostTries || len(counts.wrong) != mostTries || !counts.held(at(1<<20), true, begin) {
		t.Errorf("%d tokens were looked at, of %d addresses", looked, len(counts.wrong))
	}
	for i := range 3 * authTries {
		if held := counts.held(at(1), false, begin.Add(time.Second)); held != (i >= authTries) {
			t.Fatalf("guess %d: %t", i, held)
		}
	}
	if len(counts.wrong) != 1 || counts.held(at(2), true, begin.Add(time.Second)) {
		t.Errorf("a second later there are %d addresses", len(counts.wrong))
	}
}
