// Package subscribers lists the actors that receive an engine's events and statuses.
package subscribers

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// MinInterval is the shortest interval at which a subscriber gets a status.
const MinInterval = 20 * time.Millisecond

// List is the subscribers of one actor, which alone uses it. The zero List is empty.
type List struct{ list map[string]*subscriber }

type subscriber struct {
	pid   *actor.PID
	every time.Duration // between two statuses; 0: none
	round uint64        // of its timer; a StatusDue of an earlier round is void
}

// StatusDue says that a subscriber's next status is due.
type StatusDue struct {
	key   string
	round uint64
}

func key(pid *actor.PID) string { return pid.Address + "/" + pid.Id }

// Remove forgets a subscriber, and reports whether it was one.
func (l *List) Remove(pid *actor.PID) bool {
	_, was := l.list[key(pid)]
	delete(l.list, key(pid))
	return was
}

// Add adds a subscriber, or changes the interval of its statuses; 0: none. added is false if it was
// one already. due, unless zero, is to be handled at once.
func (l *List) Add(pid *actor.PID, every time.Duration) (due StatusDue, added bool) {
	k := key(pid)
	s := l.list[k]
	if added = s == nil; added {
		s = &subscriber{pid: pid}
		if l.list == nil {
			l.list = map[string]*subscriber{}
		}
		l.list[k] = s
	}
	if s.every, s.round = every, s.round+1; every > 0 {
		s.every = max(every, MinInterval)
		due = StatusDue{k, s.round}
	}
	return due, added
}

// Notify sends a message to all subscribers.
func (l *List) Notify(ctx actor.Context, m any) {
	for _, s := range l.list {
		ctx.Send(s.pid, m)
	}
}

// Due returns the subscriber whose status is due, and the time until the next one. pid is nil if it
// has unsubscribed, or has changed its interval.
func (l *List) Due(m StatusDue) (pid *actor.PID, next time.Duration) {
	s := l.list[m.key]
	if s == nil || s.round != m.round {
		return nil, 0
	}
	return s.pid, s.every
}
