package server

import (
	"time"

	"github.com/music-chronus/chronus/osc"
)

// Handler receives the messages of one reader: the UDP socket, or one connection. Each reader has a
// Handler of its own, so a Handler needs no lock for its fields. Several Handlers run at a time.
type Handler interface {
	// Take receives each message in the order of arrival. The message is valid until Take returns.
	Take(m *osc.Message, from Peer)
	// End follows the last message of each packet: the messages since the last End belong together.
	End(from Peer)
	// Flush follows when no more packets are at hand: ended packets must not wait any longer.
	Flush()
}

// HandlerFunc makes handlers of a function that needs neither End nor Flush. Several readers may
// call the function at a time.
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

// newReader makes the two closures once: handling a packet must not allocate.
func newReader(s *Server, handler Handler) *reader {
	r := &reader{s: s, handler: handler}
	r.visit, r.wrong = r.message, r.malformed
	return r
}

func (r *reader) packet(b []byte, from Peer) {
	r.s.count(packets)
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
		return // an answer: two servers that answered each other's answers would never end
	case "/auth":
		r.s.count(messages)
		r.s.authenticate(m, r.from)
		return
	}
	r.s.count(messages)
	r.handler.Take(m, r.from)
}

func (r *reader) malformed(e *osc.DecodeError) {
	r.taken++
	r.s.countMalformed(e.Fault)
	r.s.refuseMalformed(r.from, e)
}
