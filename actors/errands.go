package actors

import (
	"errors"
	"maps"
	"slices"
	"sync"
)

// errLost answers a request that was on its way when the tree's actors ended.
var errLost = errors.New("the engine's actors were started anew while it was on its way: it may have been carried out, or not")

// errands are the requests that have been given to the tree, and not been answered. A tree that is started anew, since the supervisor failed or the
// program has restarted the engine's actor, has lost what its actors had not looked at; and what comes before they are there again would be lost too. So that is kept
// until then, and the other is answered.
type errands struct {
	mu   sync.Mutex
	last uint64
	open map[uint64]*errand
	down bool
}

// errand is one request. The first of the answers counts: see once.
type errand struct {
	send   func(answered func())
	refuse func(error)
	sent   bool
}

// do has send give a request to the tree, now or when there is one, and refuse tell that it was lost. send must not wait.
func (l *errands) do(send func(answered func()), refuse func(error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[uint64]*errand{}
	}
	l.last++
	l.open[l.last] = &errand{send: send, refuse: refuse}
	if !l.down {
		l.sendLocked(l.last)
	}
}

func (l *errands) sendLocked(n uint64) {
	e := l.open[n]
	e.sent = true
	e.send(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.open, n)
	})
}

// fall: the tree's actors are about to end.
func (l *errands) fall() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
}

// lose: they have ended. What they were given and have not answered is refused; all of it, if there will be no others.
func (l *errands) lose(all bool, err error) {
	var lost []*errand
	l.mu.Lock()
	l.down = true
	for _, n := range slices.Sorted(maps.Keys(l.open)) {
		if e := l.open[n]; e.sent || all {
			lost = append(lost, e)
			delete(l.open, n)
		}
	}
	l.mu.Unlock()
	for _, e := range lost {
		e.refuse(err)
	}
}

// rise: they are there again. What was kept is sent, in its order.
func (l *errands) rise() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
	for _, n := range slices.Sorted(maps.Keys(l.open)) {
		if !l.open[n].sent {
			l.sendLocked(n)
		}
	}
}
