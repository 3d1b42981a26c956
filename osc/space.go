package osc

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Kind is what an address takes.
type Kind int

// The kinds of address.
const (
	Number Kind = iota // one finite number: i, h, f, d alike, since some clients send only floats
	Name               // one of a list of names, or its index
	Gate               // a number (above 0: on), true or false, "on" or "off"
	Query              // nothing; it is answered
)

// Entry is one address that exists.
type Entry struct {
	Address  string
	Kind     Kind
	Min, Max float64  // of a Number
	Unit     string   // of a Number: Hz, s, or none
	Names    []string // of a Name
	Doc      string
}

// Space is the addresses that exist, in the order of Add. After the last Add it is only read.
type Space struct {
	entries []Entry
	index   map[string]int
}

// NewSpace makes a space with the given entries. An address twice, or one that no packet can
// carry, is an error.
func NewSpace(entries []Entry) (*Space, error) {
	s := &Space{entries: entries, index: make(map[string]int, len(entries))}
	for i, e := range entries {
		if !strings.HasPrefix(e.Address, "/") || len(e.Address) > MaxAddress || strings.ContainsAny(e.Address, patternChars+" ,") {
			return nil, fmt.Errorf("address %q cannot be sent", e.Address)
		}
		if _, twice := s.index[e.Address]; twice {
			return nil, fmt.Errorf("address %s twice", e.Address)
		}
		s.index[e.Address] = i
	}
	return s, nil
}

// Entries lists the space. The slice is the Space's own.
func (s *Space) Entries() []Entry { return s.entries }

const patternChars = "*?[]{}#"

// Resolve finds the entry that a message is for, and its value: of a Name the index, of a Gate 0 or 1 or a level above 0.
// The error says what was wrong and what would be right. It allocates only for an error.
func (s *Space) Resolve(m *Message) (entry int, value float64, err error) {
	entry, ok := s.index[string(m.Address)]
	if !ok {
		return 0, 0, s.unknown(string(m.Address))
	}
	e := &s.entries[entry]
	if e.Kind == Query {
		if len(m.Args) != 0 {
			return entry, 0, fmt.Errorf("it takes no argument, not %d", len(m.Args))
		}
		return entry, 0, nil
	}
	if len(m.Args) != 1 {
		return entry, 0, fmt.Errorf("it takes one argument, %s, not %d", e.domain(), len(m.Args))
	}
	value, ok = e.value(m.Args[0])
	if !ok {
		return entry, 0, fmt.Errorf("%s is not %s", show(m.Args[0]), e.domain())
	}
	return entry, value, nil
}

// value of an argument, if it is one that the entry takes.
func (e *Entry) value(a Arg) (v float64, ok bool) {
	v, number := a.Number()
	if number && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return 0, false
	}
	switch e.Kind {
	case Number:
		return v, number && v >= e.Min && v <= e.Max
	case Name:
		if number {
			return v, v >= 0 && v < float64(len(e.Names)) && v == math.Trunc(v)
		}
		for i, n := range e.Names {
			if (a.Tag == 's' || a.Tag == 'S') && string(a.Bytes) == n {
				return float64(i), true
			}
		}
		return 0, false
	}
	switch {
	case number:
		return max(v, 0), true
	case a.Tag == 'T', (a.Tag == 's' || a.Tag == 'S') && string(a.Bytes) == "on":
		return 1, true
	case a.Tag == 'F', (a.Tag == 's' || a.Tag == 'S') && string(a.Bytes) == "off":
		return 0, true
	}
	return 0, false
}

// domain is what an entry takes, in words.
func (e *Entry) domain() string {
	switch e.Kind {
	case Name:
		return strings.Join(e.Names, ", ")
	case Gate:
		return "a number, true, false, on or off"
	}
	d := fmt.Sprintf("a number from %.7g to %.7g", e.Min, e.Max)
	if e.Unit != "" {
		d += " " + e.Unit
	}
	return d
}

// shown is how much of what came in is shown in an answer: enough to recognise it.
const shown = 40

// show is an argument for a message: short and printable.
func show(a Arg) string {
	if v, ok := a.Number(); ok {
		return fmt.Sprintf("%.7g", v)
	}
	switch a.Tag {
	case 's', 'S':
		return fmt.Sprintf("%q", a.Bytes[:min(len(a.Bytes), shown)])
	case 'T':
		return "true"
	case 'F':
		return "false"
	}
	return fmt.Sprintf("an argument of type %c", a.Tag)
}

// unknown is the error for an address that does not exist.
func (s *Space) unknown(address string) error {
	if strings.ContainsAny(address, patternChars) {
		return fmt.Errorf("address patterns are not supported")
	}
	parent := address[:strings.LastIndexByte(address, '/')+1]
	var siblings []string
	for _, e := range s.entries {
		if rest, ok := strings.CutPrefix(e.Address, parent); ok && parent != "/" && !strings.Contains(rest, "/") {
			siblings = append(siblings, rest)
		}
	}
	if len(siblings) > 0 {
		return fmt.Errorf("unknown; under %s there are %s", clip(parent), clip(strings.Join(siblings, ", ")))
	}
	best := slices.MinFunc(s.entries, func(a, b Entry) int {
		return common(b.Address, address) - common(a.Address, address)
	})
	return fmt.Errorf("unknown; the nearest is %s", best.Address)
}

// common is how many letters two addresses share from their beginning.
func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// clip bounds a part of a message.
func clip(s string) string {
	const most = 160
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
