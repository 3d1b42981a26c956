package supervise

import (
	"maps"
	"slices"
	"sync"
)

// Pending holds the requests that were sent to an actor tree and have no answer yet. A tree that
// restarts loses the messages in its mailboxes, so the requests that it had are refused. Requests
// that arrive during the restart wait for its end. The zero value is ready for use.
type Pending struct {
	mu     sync.Mutex
	last   uint64
	open   map[uint64]*request
	paused bool
}

// request is one request. Its first answer counts.
type request struct {
	send   func(answered func())
	refuse func(error)
	sent   bool
}

// Do calls send to pass a request to the tree, now or after the restart. The tree calls answered
// when it has answered. refuse reports that the request was lost. send must not block.
func (p *Pending) Do(send func(answered func()), refuse func(error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = map[uint64]*request{}
	}
	p.last++
	p.open[p.last] = &request{send: send, refuse: refuse}
	if !p.paused {
		p.sendLocked(p.last)
	}
}

func (p *Pending) sendLocked(n uint64) {
	r := p.open[n]
	r.sent = true
	r.send(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, n)
	})
}

// Pause makes requests wait. Call it before the tree's actors end.
func (p *Pending) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = true
}

// Fail refuses the requests that the tree had when its actors ended. all refuses the waiting ones
// too: no other tree will follow.
func (p *Pending) Fail(all bool, err error) {
	var lost []*request
	p.mu.Lock()
	p.paused = true
	for _, n := range slices.Sorted(maps.Keys(p.open)) {
		if r := p.open[n]; r.sent || all {
			lost = append(lost, r)
			delete(p.open, n)
		}
	}
	p.mu.Unlock()
	for _, r := range lost {
		r.refuse(err)
	}
}

// Resume sends the requests that waited, in their order. Call it when the tree's actors run again.
func (p *Pending) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = false
	for _, n := range slices.Sorted(maps.Keys(p.open)) {
		if !p.open[n].sent {
			p.sendLocked(n)
		}
	}
}

// Len returns the number of requests without an answer.
func (p *Pending) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}
