package osc

import (
	"math"
	"strings"
)

// Types are the type tags of what the address takes, at least: "f" of a Number, "s" of a Name and so on, and none of a Query.
func (e *Entry) Types() string {
	switch e.Kind {
	case Number, Gate:
		if e.Whole {
			return "i"
		}
		return "f"
	case Name, Text:
		return "s"
	case Key:
		if e.Min < e.Max {
			return "if"
		}
		return "i"
	case List:
		return strings.Repeat("f", max(e.Least, 1))
	case Words:
		return strings.Repeat("s", e.Least)
	}
	return ""
}

// HasValue tells whether the address has a value: whether it is a Number, a Name or a Gate.
func (e *Entry) HasValue() bool { return e.Kind == Number || e.Kind == Name || e.Kind == Gate }

// Argument is a value of the address as it is sent: what the address itself takes, so that who sends it back changes nothing. A Name
// goes as its text, or as its index if numbers are asked for, since some controllers show nothing else.
func (e *Entry) Argument(v float64, numbers bool) any {
	switch {
	case e.Kind == Name && !numbers && v >= 0 && int(v) < len(e.Names):
		return e.Names[int(v)]
	case (e.Kind == Name || e.Whole) && math.Abs(v) <= math.MaxInt32:
		return int32(v)
	}
	return float32(max(-math.MaxFloat32, min(math.MaxFloat32, v))) // else infinite, for which JSON has no word
}

// Value is the argument as Encode takes it; ok is false for the types that it cannot send: c, r, m, t, N and I.
func (a Arg) Value() (v any, ok bool) {
	switch a.Tag {
	case 'i':
		return int32(a.Bits), true
	case 'h':
		return int64(a.Bits), true
	case 'f':
		return math.Float32frombits(uint32(a.Bits)), true
	case 'd':
		return math.Float64frombits(a.Bits), true
	case 's', 'S':
		return string(a.Bytes), true
	case 'b':
		return append([]byte{}, a.Bytes...), true
	case 'T', 'F':
		return a.Tag == 'T', true
	}
	return nil, false
}
