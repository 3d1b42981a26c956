package feed

import (
	"reflect"

	"github.com/music-chronus/chronus/osc"
)

// value is an entry's value at a poll.
type value struct {
	v     float64
	stamp uint64
	ok    bool
}

func valuesOf(view Values) []value {
	list := make([]value, len(view.Space().Entries()))
	for i := range list {
		list[i].v, list[i].stamp, list[i].ok = view.Value(i)
	}
	return list
}

// collectChanges marks the values due that have changed since the last poll.
func (f *Feed) collectChanges() {
	view := f.now()
	switch {
	case f.view == nil:
		f.view, f.seen = view, valuesOf(view)
		return
	case view.Space() != f.view.Space():
		f.changeSpace(view)
		return
	}
	for i := range f.seen {
		was := &f.seen[i]
		v, stamp, ok := view.Value(i)
		if stamp == was.stamp && ok == was.ok {
			continue
		}
		*was = value{v, stamp, ok}
		for _, s := range f.subscribers {
			s.markDue(view, i)
		}
	}
}

// changeSpace switches to other addresses. Values that are new or different become due.
func (f *Feed) changeSpace(view Values) {
	was, seen := f.view.Space(), f.seen
	f.view, f.seen = view, valuesOf(view)
	change := changeOf(was, view.Space())
	entries := view.Space().Entries()
	for _, s := range f.subscribers {
		before := s.due
		s.due, s.pending, s.next = make([]bool, len(entries)), 0, 0
		for i := range entries {
			old, had := was.Lookup(entries[i].Address)
			if !had || before[old] || seen[old].v != f.seen[i].v || seen[old].ok != f.seen[i].ok {
				s.markDue(view, i)
			}
		}
		if s.Changed != nil {
			s.Changed(change)
		}
	}
}

// changeOf compares two spaces.
func changeOf(was, now *osc.Space) (c Change) {
	for i := range now.Entries() {
		e := &now.Entries()[i]
		old, had := was.Lookup(e.Address)
		switch {
		case !had:
			c.Added = append(c.Added, e.Address)
		case !reflect.DeepEqual(was.Entries()[old], *e):
			c.Altered = append(c.Altered, e.Address)
		}
	}
	for i := range was.Entries() {
		if e := &was.Entries()[i]; !has(now, e.Address) {
			c.Removed = append(c.Removed, e.Address)
		}
	}
	return c
}

func has(s *osc.Space, address string) bool {
	_, ok := s.Lookup(address)
	return ok
}

// markDue marks an entry due, if the subscriber wants it and it has a value.
func (s *subscriber) markDue(view Values, entry int) {
	if s.due[entry] || !s.All && !s.listens[view.Space().Entries()[entry].Address] {
		return
	}
	if _, _, ok := view.Value(entry); !ok {
		return
	}
	s.due[entry] = true
	s.pending++
}

// sendDue sends due values in turn, at most maxTurn of them. The rest follows with the next ticks.
func (s *subscriber) sendDue(view Values) {
	entries := view.Space().Entries()
	for left := min(s.pending, maxTurn); left > 0; s.next = (s.next + 1) % len(entries) {
		if !s.due[s.next] {
			continue
		}
		s.due[s.next] = false
		s.pending--
		left--
		e := &entries[s.next]
		if v, _, ok := view.Value(s.next); ok {
			_ = s.Send(e.Address, e.Argument(v, s.Numbers))
		}
	}
}
