package server

import (
	"time"

	"github.com/music-chronus/chronus/osc"
)

// Handler takes the messages that one reader hands over: those of the UDP socket, or of one connection. Each reader
// opens its own, so a Handler needs no lock, but several run at the same time.
type Handler interface {
	// Take is given each message, in the order of arrival; it is good until Take returns.
	Take(m *osc.Message, from Peer)
	// End comes after the last message of a packet: what was taken since the End before belongs together.
	End(from Peer)
	// Flush comes when no more is at hand: what has ended waits no longer.
	Flush()
}

// HandlerFunc makes handlers of a function that needs neither End nor Flush. It must bear being called by several readers at once.
func HandlerFunc(take func(m *osc.Message, from Peer)) func() Handler {
	return func() Handler { return each(take) }
}

type each func(m *osc.Message, from Peer)

func (e each) Take(m *osc.Message, from Peer) { e(m, from) }
func (e each) End(Peer)                       {}
func (e each) Flush()                         {}

// reader decodes packets for a Handler.
type reader struct {
	s       *Server
	dec     osc.Decoder
	handler Handler
	from    Peer
	waited  time.Duration // Message.Waited of the packet
	taken   int           // messages and faults of the packet
	visit   func(*osc.Message)
	wrong   func(*osc.DecodeError)
}

// newReader makes the two closures once: a packet must not allocate.
func newReader(s *Server, handler Handler) *reader {
	r := &reader{s: s, handler: handler}
	r.visit, r.wrong = r.message, r.malformed
	return r
}

// packet hands over what a packet holds.
func (r *reader) packet(b []byte, from Peer) {
	r.s.packets.Add(1)
	r.from, r.taken = from, 0
	r.dec.Decode(b, r.visit, r.wrong)
	r.handler.End(from)
	r.s.account(from, r.taken, len(b))
}

func (r *reader) message(m *osc.Message) {
	r.taken++
	m.Waited = r.waited
	switch string(m.Address) {
	case "/fail", "/done", "/late":
		return // an answer: two that answered each other's would never end
	case "/auth":
		r.s.served.Add(1)
		r.s.authenticate(m, r.from)
		return
	}
	r.s.served.Add(1)
	r.handler.Take(m, r.from)
}

func (r *reader) malformed(e *osc.DecodeError) {
	r.taken++
	r.s.counted[e.Fault].Add(1)
	r.s.failMalformed(r.from, e)
}
