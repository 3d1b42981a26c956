package server

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/osc/admission"
)

// quiet are those that want no /fail: a client that plays without reading is not sent what it does not read.
type quiet struct {
	count atomic.Int32
	mu    sync.Mutex
	until map[Peer]time.Time
}

// mostQuiet is how many there may be.
const mostQuiet = 256

// SuppressErrors has a peer get no /fail any more, or get it again. By UDP it is forgotten after ten minutes, over a connection with its end.
// It is false if too many want it already.
func (p Peer) SuppressErrors(on bool) bool {
	if p.via == nil {
		return false
	}
	s := p.via.server()
	q, now := &s.quiet, s.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	for peer, until := range q.until {
		select {
		case <-peer.Closed():
			delete(q.until, peer)
		default:
			if !peer.Stream() && now.After(until) {
				delete(q.until, peer)
			}
		}
	}
	switch {
	case !on:
		delete(q.until, p)
	case len(q.until) >= mostQuiet && q.until[p].IsZero():
		return false
	default:
		if q.until == nil {
			q.until = map[Peer]time.Time{}
		}
		q.until[p] = now.Add(admission.TrustTime)
	}
	q.count.Store(int32(len(q.until)))
	return true
}

// has tells whether a peer wants no /fail. While nobody does, that costs one read.
func (q *quiet) has(p Peer, now time.Time) bool {
	if q.count.Load() == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	until, ok := q.until[p]
	return ok && (p.Stream() || now.Before(until))
}
