package osc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxReason bounds the reason of a /fail, in bytes: enough for a sentence and a list of names, too little to make a
// flood of answers out of few requests.
const MaxReason = 300

// shown is how many bytes of a string that came in are repeated in a reason: enough to recognise it.
const shown = 40

// refuse is an error of at most MaxReason bytes.
func refuse(format string, args ...any) error {
	return errors.New(clip(fmt.Sprintf(format, args...), MaxReason))
}

// clip bounds a text to most bytes, at least 3, and shows where it was cut.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-3], "") + "..."
}

// domain is what an entry takes, in words.
func (e *Entry) domain() string {
	switch e.Kind {
	case Name:
		return strings.Join(e.Names, ", ")
	case Gate:
		return "a number, true, false, on or off"
	case Text:
		return fmt.Sprintf("a string of at most %d bytes", e.Most)
	case Words:
		if e.Most == 0 {
			return "no argument"
		}
		return e.Usage
	case List:
		kind := ""
		if e.Whole {
			kind = "whole "
		}
		return fmt.Sprintf("%d to %d %snumbers from %.7g to %.7g", e.Least, e.Most, kind, e.Min, e.Max)
	case Key:
		d := "a note from 0 to 127"
		if e.Min < e.Max {
			d += fmt.Sprintf(" and a number from %.7g to %.7g", e.Min, e.Max)
		}
		if e.All {
			d += ", or nothing for all notes"
		}
		return d
	}
	d := "a "
	if e.Whole {
		d += "whole "
	}
	d += fmt.Sprintf("number from %.7g to %.7g", e.Min, e.Max)
	if e.Unit != "" {
		d += " " + e.Unit
	}
	return d
}

// show is an argument for a reason: short and printable ASCII, whatever came in.
func show(a Arg) string {
	if v, ok := a.Number(); ok {
		return fmt.Sprintf("%.7g", v)
	}
	switch a.Tag {
	case 's', 'S':
		if len(a.Bytes) > shown {
			return fmt.Sprintf("%+q...", a.Bytes[:shown])
		}
		return fmt.Sprintf("%+q", a.Bytes)
	case 'T':
		return "true"
	case 'F':
		return "false"
	}
	return fmt.Sprintf("an argument of type %c", a.Tag)
}

// unknown is the error for an address that does not exist: it names the nearest, and what else is there.
func (s *Space) unknown(address string) error {
	if IsPattern(address) {
		return errors.New("a pattern stands where one address must")
	}
	if len(s.entries) == 0 {
		return errors.New("unknown; no address is known")
	}
	nearest := slices.MinFunc(s.entries, func(a, b Entry) int {
		return apart(a.Address, address) - apart(b.Address, address)
	})
	parent := address[:strings.LastIndexByte(address, '/')+1]
	if beside := s.under(parent); beside != "" {
		return refuse("unknown; the nearest is %s; under %s there are %s", nearest.Address, parent, beside)
	}
	return refuse("unknown; the nearest is %s", nearest.Address)
}

// under lists the last parts of the addresses that are directly under parent, as far as a reason holds them; of the
// root nothing, since what is there has nothing in common.
func (s *Space) under(parent string) string {
	if parent == "/" {
		return ""
	}
	var list strings.Builder
	for i := range s.entries {
		rest, ok := strings.CutPrefix(s.entries[i].Address, parent)
		if !ok || strings.Contains(rest, "/") {
			continue
		}
		if list.Len() > 0 {
			list.WriteString(", ")
		}
		if list.WriteString(rest); list.Len() > MaxReason {
			break
		}
	}
	return list.String()
}

// apart is how many bytes of the longer address lie between the beginning and the end that both share: 1 if one letter
// is mistaken, missing or too many. It costs one pass, unlike an edit distance, for anyone may ask 1,024 times a packet.
func apart(a, b string) int {
	short, head, tail := min(len(a), len(b)), 0, 0
	for head < short && a[head] == b[head] {
		head++
	}
	for tail < short-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return max(len(a), len(b)) - head - tail
}

// Expected is what the address takes, in words.
func (e *Entry) Expected() string {
	if e.Kind == Query {
		return "no argument"
	}
	return e.domain()
}
