package feed

import (
	"reflect"

	"github.com/music-chronus/chronus/osc"
)

// value is what an entry had when it was looked at.
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

// look finds what has changed since the last look.
func (f *Feed) look() {
	view := f.now()
	switch {
	case f.view == nil:
		f.view, f.seen = view, valuesOf(view)
		return
	case view.Space() != f.view.Space():
		f.move(view)
		return
	}
	for i := range f.seen {
		was := &f.seen[i]
		v, stamp, ok := view.Value(i)
		if stamp == was.stamp && ok == was.ok {
			continue
		}
		*was = value{v, stamp, ok}
		for _, s := range f.list {
			s.want(view, i)
		}
	}
}

// move goes on with other addresses: what has another value there, or was not there before, is to be told.
func (f *Feed) move(view Values) {
	was, seen := f.view.Space(), f.seen
	f.view, f.seen = view, valuesOf(view)
	change := changeOf(was, view.Space())
	entries := view.Space().Entries()
	for _, s := range f.list {
		before := s.due
		s.due, s.waits, s.next = make([]bool, len(entries)), 0, 0
		for i := range entries {
			old, had := was.Lookup(entries[i].Address)
			if !had || before[old] || seen[old].v != f.seen[i].v || seen[old].ok != f.seen[i].ok {
				s.want(view, i)
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

// want has an entry's value told, if the subscriber asked for it and it has one.
func (s *subscriber) want(view Values, entry int) {
	if s.due[entry] || !s.All && !s.listens[view.Space().Entries()[entry].Address] {
		return
	}
	if _, _, ok := view.Value(entry); !ok {
		return
	}
	s.due[entry] = true
	s.waits++
}

// tell sends what is due, in turn, and no more than one turn's values: what is left comes with the next.
func (s *subscriber) tell(view Values) {
	entries := view.Space().Entries()
	for left := min(s.waits, turn); left > 0; s.next = (s.next + 1) % len(entries) {
		if !s.due[s.next] {
			continue
		}
		s.due[s.next] = false
		s.waits--
		left--
		e := &entries[s.next]
		if v, _, ok := view.Value(s.next); ok {
			_ = s.Send(e.Address, e.Argument(v, s.Numbers))
		}
	}
}
