package server

import (
	"net/netip"
	"runtime"
	"sync"

	"github.com/music-chronus/chronus/osc"
)

// datagram is a UDP packet to be sent.
type datagram struct {
	to     netip.AddrPort
	packet []byte
}

const (
	maxWaiting  = 4096 // datagrams in the queue; senders never wait for the network
	bundleFrom  = 8    // datagrams in the queue from which answers to one local program are bundled
	maxBundle   = 1400 // bytes
	bundleBytes = 24   // bytes of a bundle of two packets, without the packets
	yieldEvery  = 16   // datagrams after which the goroutine yields; Go would preempt it after 10 ms
)

// sendQueue holds the datagrams that wait for the network.
type sendQueue struct {
	mu      sync.Mutex
	waiting []datagram
	ready   chan struct{} // the datagrams should be sent
}

func newSendQueue() sendQueue { return sendQueue{ready: make(chan struct{}, 1)} }

// put adds a datagram, and returns false if the queue is full. If more datagrams follow, it wakes
// flushLoop only once a quarter of the queue is full.
func (q *sendQueue) put(d datagram, more bool) bool {
	q.mu.Lock()
	n := len(q.waiting)
	if n < maxWaiting {
		q.waiting = append(q.waiting, d)
	}
	q.mu.Unlock()
	if !more || n >= maxWaiting/4 {
		q.flush()
	}
	return n < maxWaiting
}

// flush wakes flushLoop.
func (q *sendQueue) flush() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take returns the datagrams, and reuses the memory of list for the next ones.
func (q *sendQueue) take(list []datagram) []datagram {
	q.mu.Lock()
	defer q.mu.Unlock()
	list, q.waiting = q.waiting, list[:0]
	return list
}

// Flush sends the answers that wait for more answers.
func (s *Server) Flush() { s.sendQueue.flush() }

// flushLoop sends the queued datagrams until the server is closed.
func (s *Server) flushLoop() {
	defer s.running.Done()
	var list []datagram
	b := make([]byte, 0, maxBundle)
	for n := 1; ; {
		select {
		case <-s.closed:
			return
		case <-s.sendQueue.ready:
		}
		list = s.sendQueue.take(list)
		for rest := list; len(rest) > 0; n++ {
			packet, k := bundle(b, rest, len(list) >= bundleFrom)
			_ = s.conn.Write(packet, rest[0].to) // a failed send has no one to report to
			rest = rest[k:]
			if n%yieldEvery == 0 {
				runtime.Gosched()
			}
		}
		clear(list)
	}
}

// bundle returns the next packet to send, and the number of datagrams in it. With many datagrams in
// the queue it builds in b a bundle of those that follow each other to one program of this machine:
// sending a datagram costs more than making an answer. The largest datagram has no room for a
// bundle's head and is sent alone.
func bundle(b []byte, list []datagram, many bool) (packet []byte, n int) {
	first := list[0]
	if !many || len(list) == 1 || list[1].to != first.to || !first.to.Addr().IsLoopback() ||
		len(first.packet)+len(list[1].packet) > maxBundle-bundleBytes {
		return first.packet, 1
	}
	b = osc.AppendElement(osc.AppendBundle(b[:0], osc.Immediately), first.packet)
	for n = 1; n < len(list) && list[n].to == first.to && len(b)+4+len(list[n].packet) <= maxBundle; n++ {
		b = osc.AppendElement(b, list[n].packet)
	}
	return b, n
}
