package osc

import (
	"net/netip"
	"sync"
)

// Quota are a bounded number of places for who comes, counted by address, of which other machines may not take those of this one, nor one of
// them those of the others. An address that is none is this machine's.
type Quota struct {
	most   int
	others int // of these, all other machines together
	each   int // of these, one of them

	mu    sync.Mutex
	taken map[netip.Addr]int // by another machine
	away  int                // by all of them
	here  int
}

// NewQuota are so many. Three quarters of them may be taken by other machines, and a quarter by one of these.
func NewQuota(most int) *Quota {
	return &Quota{most: most, others: most - most/4, each: max(most/4, 1), taken: map[netip.Addr]int{}}
}

// Limit is how many there are.
func (p *Quota) Limit() int { return p.most }

func ours(a netip.Addr) bool { return !a.IsValid() || a.IsLoopback() }

// Acquire takes a place, or is false. Free gives it back.
func (p *Quota) Acquire(from netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.fits(from, 0, 0) {
		return false
	}
	p.add(from, 1)
	return true
}

// Release gives a place back that Take took.
func (p *Quota) Release(from netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(from, -1)
}

// WouldHelp tells whether somebody new finds a place if one of who has it is freed: none of this machine's is freed for others.
func (p *Quota) WouldHelp(has, from netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ours(has) {
		return ours(from) && p.fits(from, 1, 0)
	}
	same := 0
	if has == from {
		same = 1
	}
	return p.fits(from, 1, same)
}

// fits tells whether one more from an address finds a place, once so many are free of which so many are its own: of others' ones unless
// it is this machine's.
func (p *Quota) fits(from netip.Addr, free, own int) bool {
	if p.here+p.away-free >= p.most {
		return false
	}
	return ours(from) || p.away-free < p.others && p.taken[from]-own < p.each
}

func (p *Quota) add(from netip.Addr, n int) {
	if ours(from) {
		p.here += n
		return
	}
	p.away += n
	if p.taken[from] += n; p.taken[from] == 0 {
		delete(p.taken, from)
	}
}
