package osc

import (
	"encoding/binary"
	"net/netip"
	"runtime"
)

// letter is an answer by UDP on its way.
type letter struct {
	to     netip.AddrPort
	packet []byte
}

const (
	outboxSize = 4096 // letters that may wait for the network: who answers never does
	crowded    = 16   // from so many on, those to one program of this machine go out as bundles
	mostBundle = 1400 // bytes of these
)

// post writes what is in the outbox, until the server is closed. To write a datagram costs more than to make an answer, so who asks by the
// ten thousand a second is answered in bundles.
func (s *Server) post() {
	defer s.running.Done()
	b := make([]byte, 0, mostBundle)
	for n := 1; ; n++ {
		var l letter
		select {
		case <-s.closed:
			return
		case l = <-s.outbox:
		}
		for more := true; more; {
			waits := len(s.outbox)
			if waits < crowded || !l.to.Addr().IsLoopback() {
				s.write(l)
				break
			}
			b = appendElement(append(append(b[:0], bundleHead...), 0, 0, 0, 0, 0, 0, 0, 1), l.packet)
			to := l.to
			for more = false; waits > 0 && !more; waits-- { // nobody else takes from it
				l = <-s.outbox
				if more = l.to != to || len(b)+4+len(l.packet) > mostBundle; !more {
					b = appendElement(b, l.packet)
				}
			}
			s.write(letter{to, b})
		}
		if n%yieldEvery == 0 {
			runtime.Gosched()
		}
	}
}

// write sends one datagram. If nobody is there, nobody is told.
func (s *Server) write(l letter) { _, _ = s.conn.WriteToUDPAddrPort(l.packet, l.to) }

func appendElement(b, packet []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(packet))), packet...)
}
