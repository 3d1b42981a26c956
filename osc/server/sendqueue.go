package server

import (
	"net/netip"
	"runtime"
	"sync"

	"github.com/music-chronus/chronus/osc"
)

// letter is an answer by UDP on its way.
type letter struct {
	to     netip.AddrPort
	packet []byte
}

const (
	outboxSize  = 4096 // letters that may wait for the network: who answers never does
	crowded     = 8    // from so many on, those to one program of this machine go out as bundles
	mostBundle  = 1400 // bytes of these
	bundleBytes = 24   // of these, what is in one of two besides them: one alone, which may be the largest that UDP carries, goes as it is
	yieldEvery  = 16   // datagrams written in a row, after which others have their turn: else it would be after 10 ms
)

// outbox is the letters that wait for the network.
type outbox struct {
	mu      sync.Mutex
	letters []letter
	ready   chan struct{} // they are to go out
}

func newOutbox() outbox { return outbox{ready: make(chan struct{}, 1)} }

// put adds a letter; if there is more to come, it waits for flush, or until there are as many as go together. It is false if too many wait.
func (o *outbox) put(l letter, more bool) bool {
	o.mu.Lock()
	n := len(o.letters)
	if n < outboxSize {
		o.letters = append(o.letters, l)
	}
	o.mu.Unlock()
	if !more || n >= outboxSize/4 {
		o.flush()
	}
	return n < outboxSize
}

// flush sends what waits.
func (o *outbox) flush() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take empties the outbox into list.
func (o *outbox) take(list []letter) []letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	list, o.letters = o.letters, list[:0]
	return list
}

// Flush sends the answers that wait for more.
func (s *Server) Flush() { s.outbox.flush() }

// post writes what is in the outbox, until the server is closed.
func (s *Server) post() {
	defer s.running.Done()
	var list []letter
	b := make([]byte, 0, mostBundle)
	for n := 1; ; {
		select {
		case <-s.closed:
			return
		case <-s.outbox.ready:
		}
		list = s.outbox.take(list)
		for rest := list; len(rest) > 0; n++ {
			packet, k := together(b, rest, len(list) >= crowded)
			_ = s.conn.write(packet, rest[0].to) // if nobody is there, nobody is told
			rest = rest[k:]
			if n%yieldEvery == 0 {
				runtime.Gosched()
			}
		}
		clear(list)
	}
}

// together is the next datagram, and how many letters are in it: one, or, if there are many, in b a bundle of those after it that go to the same
// program of this machine and have room. To write a datagram costs more than to make an answer, so who asks by the ten thousand a second is
// answered in bundles.
func together(b []byte, list []letter, many bool) (packet []byte, n int) {
	first := list[0]
	if !many || len(list) == 1 || list[1].to != first.to || !first.to.Addr().IsLoopback() || len(first.packet)+len(list[1].packet) > mostBundle-bundleBytes {
		return first.packet, 1
	}
	b = osc.AppendElement(osc.AppendBundle(b[:0], osc.Immediately), first.packet)
	for n = 1; n < len(list) && list[n].to == first.to && len(b)+4+len(list[n].packet) <= mostBundle; n++ {
		b = osc.AppendElement(b, list[n].packet)
	}
	return b, n
}
