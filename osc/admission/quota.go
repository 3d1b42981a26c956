package admission

import (
	"net/netip"
	"sync"
)

// Quota is a bounded number of places, counted by address. Other machines together may hold three
// quarters of the places, and one of them a quarter. Programs of this machine may hold all places.
// An invalid address counts as this machine. Any number of goroutines may use a Quota.
type Quota struct {
	most   int
	others int // places of all other machines together
	each   int // places of one other machine

	mu    sync.Mutex
	taken map[netip.Addr]int // by another machine
	away  int                // by all other machines
	here  int
}

// NewQuota returns a quota of most places.
func NewQuota(most int) *Quota {
	return &Quota{most: most, others: most - most/4, each: max(most/4, 1), taken: map[netip.Addr]int{}}
}

// Limit is the number of places, free or taken.
func (q *Quota) Limit() int { return q.most }

func isLocal(a netip.Addr) bool { return !a.IsValid() || a.IsLoopback() }

// Acquire takes a place for an address. It returns false if the address may take none.
// Release gives the place back.
func (q *Quota) Acquire(from netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.fits(from, 0, 0) {
		return false
	}
	q.add(from, 1)
	return true
}

// Release gives back a place that Acquire took for the same address.
func (q *Quota) Release(from netip.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(from, -1)
}

// WouldHelp reports whether Acquire(from) succeeds after holder releases one place. A place of this
// machine never counts as available to another machine.
func (q *Quota) WouldHelp(holder, from netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if isLocal(holder) {
		return isLocal(from) && q.fits(from, 1, 0)
	}
	own := 0
	if holder == from {
		own = 1
	}
	return q.fits(from, 1, own)
}

// fits reports whether an address finds a place after freed places were released, own of them by
// the address itself. The freed places belong to other machines unless the address is local.
func (q *Quota) fits(from netip.Addr, freed, own int) bool {
	if q.here+q.away-freed >= q.most {
		return false
	}
	return isLocal(from) || q.away-freed < q.others && q.taken[from]-own < q.each
}

func (q *Quota) add(from netip.Addr, n int) {
	if isLocal(from) {
		q.here += n
		return
	}
	q.away += n
	if q.taken[from] += n; q.taken[from] == 0 {
		delete(q.taken, from)
	}
}
