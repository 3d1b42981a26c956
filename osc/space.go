package osc

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Kind is the kind of values that an address accepts.
type Kind int

// The kinds of address.
const (
	Number Kind = iota // one finite number of type i, h, f or d: some clients send only floats
	Name               // one of a list of names, or its index
	Gate               // a number (above 0: on), true or false, "on" or "off"
	Query              // no argument; the server answers
	Key                // a note's number, 0 to 127, and a number
	Text               // a string
	List               // Least to Most numbers
	Words              // Least to Most strings and numbers, which the handler checks
)

// Value is the value that a message carries for its entry.
type Value struct {
	Number float64 // of a Number; index of a Name; of a Gate 0, 1 or a level above 0
	Key    int     // of a Key; AllKeys without argument
	Text   string
	List   []float64
	Words  []any // of a Words: string or float64
}

// AllKeys is the Key that stands for every note.
const AllKeys = 128

// Entry is an address, and the values that it accepts.
type Entry struct {
	Address       string   `json:"address"`
	Kind          Kind     `json:"kind"`
	Min           float64  `json:"min"` // of a Number, a Key's number, or the numbers of a List
	Max           float64  `json:"max"`
	Unit          string   `json:"unit,omitempty"`           // of a Number, like Hz
	Whole         bool     `json:"whole,omitempty"`          // a Number or a List accepts only whole numbers
	Least         int      `json:"least,omitempty"`          // arguments of a List or a Words
	Most          int      `json:"most,omitempty"`           // arguments of a List or a Words, bytes of a Text
	Usage         string   `json:"usage,omitempty"`          // describes the arguments of a Words
	Names         []string `json:"names,omitempty"`          // of a Name
	Default       float64  `json:"default,omitempty"`        // of a Key's number, if the message has none
	All           bool     `json:"all,omitempty"`            // a Key without arguments stands for all notes
	RequiresToken bool     `json:"requires_token,omitempty"` // other machines must have shown the token
	Doc           string   `json:"doc,omitempty"`
}

// Space is the set of addresses that exist. It never changes, so any number of goroutines may use
// it.
type Space struct {
	entries []Entry
	index   map[string]int
	root    branch
}

// NewSpace makes a space of entries. Duplicate and invalid addresses, patterns, empty ranges and
// empty lists of names are errors.
func NewSpace(entries []Entry) (*Space, error) {
	s := &Space{entries: slices.Clone(entries), index: make(map[string]int, len(entries)), root: branch{entry: -1}}
	for i := range s.entries {
		e := &s.entries[i]
		if err := e.check(); err != nil {
			return nil, err
		}
		if _, twice := s.index[e.Address]; twice {
			return nil, fmt.Errorf("address %s: duplicate", e.Address)
		}
		s.index[e.Address] = i
		s.root.grow(e.Address, i)
	}
	return s, nil
}

// byPattern reports whether patterns match the entry. Queries, patch commands and addresses that
// require the token are excluded: one small message must not cause many large answers or actions.
func (e *Entry) byPattern() bool { return e.Kind != Query && e.Kind != Words && !e.RequiresToken }

func (e *Entry) check() error {
	if err := checkAddress(e.Address); err != nil {
		return err
	}
	if i := strings.IndexAny(e.Address, "*?[]{}#,"); i >= 0 {
		return fmt.Errorf("address %s: OSC reserves %q", e.Address, e.Address[i])
	}
	if strings.Contains(e.Address, "//") || strings.HasSuffix(e.Address, "/") {
		return fmt.Errorf("address %s: empty part after /", e.Address)
	}
	switch e.Kind {
	case Number, Key, List:
		if !(e.Min <= e.Max) { // NaN too
			return fmt.Errorf("address %s: empty range %g to %g", e.Address, e.Min, e.Max)
		}
	case Name:
		if len(e.Names) == 0 || slices.Contains(e.Names, "") {
			return fmt.Errorf("address %s: names %q: want at least one, and no empty one", e.Address, e.Names)
		}
	case Gate, Query, Text, Words:
	default:
		return fmt.Errorf("address %s: unknown kind %d", e.Address, e.Kind)
	}
	return nil
}

// Entries returns the entries in the order given to NewSpace. The slice belongs to the Space.
func (s *Space) Entries() []Entry { return s.entries }

// Lookup returns the entry of an address, if the address exists.
func (s *Space) Lookup(address string) (entry int, ok bool) {
	entry, ok = s.index[address]
	return entry, ok
}

// Find returns the entry of an address, which must not be a pattern. The error is a *Refusal that
// names the nearest address.
func (s *Space) Find(address []byte) (entry int, err error) {
	entry, ok := s.index[string(address)]
	if !ok {
		return 0, s.unknown(string(address))
	}
	return entry, nil
}

// Resolve returns the entry that a message is for, and its value. The error is a *Refusal of at
// most MaxReason bytes that says what is wrong and what would be right. Resolve allocates only for
// an error, a list or a text.
func (s *Space) Resolve(m *Message) (entry int, value Value, err error) {
	if entry, err = s.Find(m.Address); err != nil {
		return 0, value, err
	}
	value, err = s.Take(entry, m.Args)
	return entry, value, err
}

// Take returns the value of arguments for an entry. The error is that of Resolve.
func (s *Space) Take(entry int, args []Arg) (value Value, err error) {
	e := &s.entries[entry]
	switch {
	case e.Kind == Query && len(args) == 1 && (args[0].Tag == 'N' || args[0].Tag == 'I'):
		return value, nil // from controllers that cannot send a message without arguments
	case e.Kind == Query && len(args) != 0:
		return value, Refuse(CodeBadArgument, "want no argument; got %d", len(args))
	case e.Kind == Query:
		return value, nil
	case e.Kind == Key:
		return e.key(args)
	case e.Kind == List:
		value.List, err = e.list(args)
		return value, err
	case e.Kind == Words:
		value.Words, err = e.words(args)
		return value, err
	case e.Kind == Text && (len(args) != 1 || args[0].Tag != 's' && args[0].Tag != 'S' || len(args[0].Bytes) > e.Most):
		return value, Refuse(CodeBadArgument, "want %s", e.domain())
	case e.Kind == Text:
		value.Text = string(args[0].Bytes)
		return value, nil
	case len(args) != 1:
		return value, Refuse(CodeBadArgument, "want one argument, %s; got %d", e.domain(), len(args))
	}
	ok := false
	if value.Number, ok = e.value(args[0]); !ok {
		return value, Refuse(CodeBadArgument, "%s is not %s", show(args[0]), e.domain())
	}
	return value, nil
}

// words returns the strings and numbers of a Words.
func (e *Entry) words(args []Arg) (list []any, err error) {
	if len(args) < e.Least || len(args) > e.Most {
		return nil, Refuse(CodeBadArgument, "want %s; got %d arguments", e.domain(), len(args))
	}
	for i, a := range args {
		v, number := a.Number()
		switch {
		case number:
			list = append(list, v)
		case a.Tag == 's' || a.Tag == 'S':
			list = append(list, string(a.Bytes))
		default:
			return nil, Refuse(CodeBadArgument, "argument %d is %s: want %s", i+1, show(a), e.domain())
		}
	}
	return list, nil
}

// list returns the numbers of a List.
func (e *Entry) list(args []Arg) ([]float64, error) {
	if len(args) < e.Least || len(args) > e.Most {
		return nil, Refuse(CodeBadArgument, "want %s; got %d", e.domain(), len(args))
	}
	list := make([]float64, len(args))
	for i, a := range args {
		v, number := a.Number()
		if a.Tag == 'f' {
			v = e.widen(v)
		}
		if !number || !(v >= e.Min && v <= e.Max) || e.Whole && v != math.Trunc(v) {
			return nil, Refuse(CodeBadArgument, "argument %d is %s: want %s", i+1, show(a), e.domain())
		}
		list[i] = v
	}
	return list, nil
}

// key returns the note's number and the number after it.
func (e *Entry) key(args []Arg) (Value, error) {
	v := Value{Number: e.Default, Key: AllKeys}
	if len(args) == 0 && e.All {
		return v, nil
	}
	if len(args) < 1 || len(args) > 2 || len(args) > 1 && e.Min == e.Max {
		return v, Refuse(CodeBadArgument, "want %s; got %d arguments", e.domain(), len(args))
	}
	k, number := args[0].Number()
	if !number || !(k >= 0 && k < AllKeys) || k != math.Trunc(k) {
		return v, Refuse(CodeBadArgument, "%s is not a note: want %s", show(args[0]), e.domain())
	}
	v.Key = int(k)
	if len(args) > 1 {
		if v.Number, number = args[1].Number(); !number || !(v.Number >= e.Min && v.Number <= e.Max) {
			return v, Refuse(CodeBadArgument, "%s is not a number from %.7g to %.7g", show(args[1]), e.Min, e.Max)
		}
	}
	return v, nil
}

// value returns the number of a Number, a Name or a Gate. ok is false if the entry does not accept
// the argument.
func (e *Entry) value(a Arg) (v float64, ok bool) {
	v, number := a.Number()
	if number && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return 0, false
	}
	switch {
	case e.Kind == Number:
		if a.Tag == 'f' {
			v = e.widen(v)
		}
		return v, number && v >= e.Min && v <= e.Max && (!e.Whole || v == math.Trunc(v))
	case e.Kind == Gate && number:
		return max(v, 0), true
	case e.Kind == Gate:
		return a.onOff()
	case number:
		return v, v >= 0 && v < float64(len(e.Names)) && v == math.Trunc(v)
	}
	for i, n := range e.Names {
		if a.is(n) {
			return float64(i), true
		}
	}
	return 0, false
}

// widen restores the digits of a limit that was rounded to float32: 0.0001 as float32 is below
// 0.0001, and still means the limit.
func (e *Entry) widen(v float64) float64 {
	switch float32(v) {
	case float32(e.Min):
		return e.Min
	case float32(e.Max):
		return e.Max
	}
	return v
}

// onOff returns the level of a gate's argument that is not a number.
func (a Arg) onOff() (v float64, ok bool) {
	switch {
	case a.Tag == 'T', a.is("on"):
		return 1, true
	case a.Tag == 'F', a.is("off"):
		return 0, true
	}
	return 0, false
}

// is reports whether an argument is the string s.
func (a Arg) is(s string) bool { return (a.Tag == 's' || a.Tag == 'S') && string(a.Bytes) == s }
