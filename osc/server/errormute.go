package server

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/osc/admission"
)

// errorMute lists the peers that want no /fail, since they play without reading answers.
type errorMute struct {
	count atomic.Int32
	mu    sync.Mutex
	until map[Peer]time.Time
}

const maxMuted = 256 // peers

// SuppressErrors makes the server send no /fail to the peer, or send it again. Over UDP it lasts
// ten minutes, over a connection until the connection ends. SuppressErrors returns false if 256
// other peers have it on.
func (p Peer) SuppressErrors(on bool) bool {
	if p.via == nil {
		return false
	}
	s := p.via.server()
	m, now := &s.errorMute, s.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for peer, until := range m.until {
		select {
		case <-peer.Closed():
			delete(m.until, peer)
		default:
			if !peer.Stream() && now.After(until) {
				delete(m.until, peer)
			}
		}
	}
	switch {
	case !on:
		delete(m.until, p)
	case len(m.until) >= maxMuted && m.until[p].IsZero():
		return false
	default:
		if m.until == nil {
			m.until = map[Peer]time.Time{}
		}
		m.until[p] = now.Add(admission.TrustTime)
	}
	m.count.Store(int32(len(m.until)))
	return true
}

// mutes reports whether a peer wants no /fail. While the list is empty, it takes no lock.
func (m *errorMute) mutes(p Peer, now time.Time) bool {
	if m.count.Load() == 0 {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.until[p]
	return ok && (p.Stream() || now.Before(until))
}
