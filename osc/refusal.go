package osc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxReason is the most that /fail carries as a reason, in bytes: enough for a sentence and a list
// of names, too little for small requests to cause a flood of answers.
const MaxReason = 300

// shown is the number of bytes of a received string that a reason repeats.
const shown = 40

// Code classifies a Refusal. Its text is a key of Stats.RefusedByCode.
type Code uint8

// The codes of refusals.
const (
	CodeRejected       Code = iota // a valid request that could not be carried out
	CodeMalformed                  // a packet that is not OSC
	CodeUnknownAddress             // an address that does not exist
	CodeBadPattern                 // a pattern that is invalid, too expensive, or matches nothing
	CodeBadArgument                // arguments of a wrong type, number or range
	CodeBadTime                    // a time tag that is too far ahead, or has no frame
	CodeUnauthorized               // the token is missing or wrong, or the sender may be forged
	CodeRateLimited                // the source sends too many messages or wrong tokens
	CodeBusy                       // a queue or table is full; the same request may succeed later
	CodeTooLarge                   // a request or reply above a limit of size
	CodeUnavailable                // the engine lacks what the request needs, or is stopping
	numCodes
)

// NumCodes is the number of codes: each is below it.
const NumCodes = int(numCodes)

var codeNames = [NumCodes]string{
	CodeRejected:       "rejected",
	CodeMalformed:      "malformed",
	CodeUnknownAddress: "unknown_address",
	CodeBadPattern:     "bad_pattern",
	CodeBadArgument:    "bad_argument",
	CodeBadTime:        "bad_time",
	CodeUnauthorized:   "unauthorized",
	CodeRateLimited:    "rate_limited",
	CodeBusy:           "busy",
	CodeTooLarge:       "too_large",
	CodeUnavailable:    "unavailable",
}

// String returns the code's name, like bad_argument.
func (c Code) String() string {
	if int(c) < NumCodes {
		return codeNames[c]
	}
	return fmt.Sprintf("code %d", c)
}

// Refusal is the error behind a /fail: why a message was not carried out.
type Refusal struct {
	Code    Code
	Address string // of the message; empty where the caller of a function knows it
	Reason  string
}

// Error returns the reason, after the address if there is one.
func (r *Refusal) Error() string {
	if r.Address == "" {
		return r.Reason
	}
	return r.Address + ": " + r.Reason
}

// Refuse returns a refusal without an address. It cuts the reason to MaxReason bytes.
func Refuse(code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Reason: clip(fmt.Sprintf(format, args...), MaxReason)}
}

// RefusalOf returns the refusal of a message at an address. Its code is that of the Refusal that
// err wraps, or CodeRejected. Its reason is the text of err.
func RefusalOf(address string, err error) *Refusal {
	out := &Refusal{Address: address, Reason: err.Error()}
	if r := (*Refusal)(nil); errors.As(err, &r) {
		out.Code = r.Code
	}
	if r, ok := err.(*Refusal); ok {
		out.Reason = r.Reason
	}
	return out
}

// clip cuts a text to most bytes, at least 3, and marks the cut with dots.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-3], "") + "..."
}

// domain describes the values that an entry takes.
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
		count := fmt.Sprintf("%d to %d", e.Least, e.Most)
		if e.Least == e.Most {
			count = fmt.Sprint(e.Least)
		}
		return fmt.Sprintf("%s %snumbers from %.7g to %.7g", count, kind, e.Min, e.Max)
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

// show formats an argument for a reason: short, and printable ASCII whatever was received.
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

// unknown returns the refusal of an address that does not exist. It names the nearest address, and
// those beside it.
func (s *Space) unknown(address string) *Refusal {
	if IsPattern(address) {
		return Refuse(CodeBadPattern, "a pattern stands where one address must")
	}
	if len(s.entries) == 0 {
		return Refuse(CodeUnknownAddress, "unknown; no address is known")
	}
	nearest := slices.MinFunc(s.entries, func(a, b Entry) int {
		return editSpan(a.Address, address) - editSpan(b.Address, address)
	})
	parent := address[:strings.LastIndexByte(address, '/')+1]
	if beside := s.under(parent); beside != "" {
		return Refuse(CodeUnknownAddress, "unknown; the nearest is %s; under %s there are %s",
			nearest.Address, parent, beside)
	}
	return Refuse(CodeUnknownAddress, "unknown; the nearest is %s", nearest.Address)
}

// under lists the last parts of the addresses directly under parent, up to the size of a reason. It
// lists nothing under the root: the addresses there have nothing in common.
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

// editSpan is the number of bytes of the longer address between the prefix and the suffix that both
// share: 1 if one letter is wrong, missing or too many. It costs one pass, unlike an edit distance,
// since a packet may ask 1,024 times.
func editSpan(a, b string) int {
	short, head, tail := min(len(a), len(b)), 0, 0
	for head < short && a[head] == b[head] {
		head++
	}
	for tail < short-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return max(len(a), len(b)) - head - tail
}

// Expected describes the arguments that the address takes.
func (e *Entry) Expected() string {
	if e.Kind == Query {
		return "no argument"
	}
	return e.domain()
}
