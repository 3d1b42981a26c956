package osc

import (
	"math"
	"strings"
)

// Types returns the type tags that the address needs at least, like "f" for a Number. A Query needs
// none.
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

// HasValue reports whether the address has a value: whether it is a Number, a Name or a Gate.
func (e *Entry) HasValue() bool { return e.Kind == Number || e.Kind == Name || e.Kind == Gate }

// Argument returns a value of the address as an argument that the address accepts: sending it back
// changes nothing. The value of a Name is its text, or with numbers its index, for controllers that
// display only numbers.
func (e *Entry) Argument(v float64, numbers bool) any {
	switch {
	case e.Kind == Name && !numbers && v >= 0 && int(v) < len(e.Names):
		return e.Names[int(v)]
	case (e.Kind == Name || e.Whole) && math.Abs(v) <= math.MaxInt32:
		return int32(v)
	}
	return float32(max(-math.MaxFloat32, min(math.MaxFloat32, v))) // JSON has no infinity
}

// Value returns the argument as Encode accepts it. ok is false for the types that Encode cannot
// send: c, r, m, t, N and I.
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
