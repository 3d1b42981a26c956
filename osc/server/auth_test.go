package server

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc/admission"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// hear makes the server read a message as if over a connection from an address, and returns the
// answer.
func (s *Server) hear(t *testing.T, r *reader, from netip.AddrPort, packet []byte) string {
	t.Helper()
	c := s.newConn(from, "tcp", nil)
	r.packet(packet, Peer{from, c})
	if len(c.out) != 1 {
		t.Fatalf("%d answers", len(c.out))
	}
	got, _ := osctest.Seen(c.out[0])
	return got[0]
}

// Wrong tokens throttle their address, whatever the port, and no other. Forged ones throttle an
// address over UDP until it has shown the token, and never over a connection.
func TestGuessesHoldUpWhoGuesses(t *testing.T) {
	s, r := mute(t, Access{Allow: anywhere, Token: testToken})
	guess, show := osctest.Encode(t, "/auth", "guess guess guess"), osctest.Encode(t, "/auth", testToken)
	told := func() string {
		got, _ := s.sent()
		return strings.Join(got, "; ")
	}
	const held = `/fail "/auth" "too many wrong tokens: wait a second"`
	now := time.Now()
	s.now = func() time.Time { return now } // all is within one second
	for i := range admission.WrongTokensPerAddress {
		s.handleDatagram(r, guess, netip.AddrPortFrom(far.Addr(), uint16(i+1)))
	}
	told()
	s.handleDatagram(r, show, far)
	if got := told(); got != held || s.datagrams.Trusted(far, time.Now()) {
		t.Errorf("who guessed is told %s", got)
	}
	third := netip.MustParseAddrPort("192.0.2.99:4000")
	s.handleDatagram(r, show, third)
	if got := told(); got != `/done "/auth"` {
		t.Errorf("who did not guess is told %s", got)
	}
	if got := s.hear(t, r, far, show); got != `/done "/auth"` {
		t.Errorf("by a connection the one that guesses were forged of is told %s", got)
	}
	for range 2 * admission.WrongTokensPerAddress {
		s.handleDatagram(r, guess, third)
	}
	told()
	s.handleDatagram(r, show, third)
	if got := told(); got != `/done "/auth"` {
		t.Errorf("who has shown the token, and shows it again, is told %s", got)
	}
	for range admission.WrongTokensPerAddress {
		s.hear(t, r, far, guess)
	}
	if got := s.hear(t, r, far, show); got != held {
		t.Errorf("who guesses by connections is told %s", got)
	}
	for range admission.WrongTokensPerAddress {
		s.handleDatagram(r, guess, near)
	}
	told()
	s.handleDatagram(r, show, near)
	if got := told(); got != held {
		t.Errorf("a program here that guesses is told %s", got)
	}
}
