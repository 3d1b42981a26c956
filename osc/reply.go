package osc

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	goosc "github.com/hypebeast/go-osc/osc"
)

// Encode makes a packet of one message. Arguments are int, int32, int64, uint64, float32,
// float64, string, bool or []byte. What go-osc would encode wrongly, or not at all, is an error here.
func Encode(address string, args ...any) ([]byte, error) {
	if len(address) < 2 || address[0] != '/' || len(address) > MaxAddress || !printable([]byte(address)) {
		return nil, fmt.Errorf("address %q: it must begin with / and be printable ASCII of at most %d bytes", clip(address), MaxAddress)
	}
	m := goosc.NewMessage(address)
	for i, a := range args {
		v, err := encodable(a)
		if err != nil {
			return nil, fmt.Errorf("%s, argument %d: %w", address, i+1, err)
		}
		m.Append(v)
	}
	b, err := m.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if len(b) > MaxPacket {
		return nil, fmt.Errorf("%s: %d bytes; a packet holds %d", address, len(b), MaxPacket)
	}
	return b, nil
}

// encodable is a value as go-osc takes it.
func encodable(a any) (any, error) {
	switch v := a.(type) {
	case int:
		if v >= math.MinInt32 && v <= math.MaxInt32 {
			return int32(v), nil
		}
		return int64(v), nil
	case uint64:
		return int64(v), nil
	case int32, int64, float32, float64, bool, []byte:
		return v, nil
	case string:
		if strings.IndexByte(v, 0) >= 0 {
			return nil, errors.New("a string with a NUL byte ends there for whoever reads it")
		}
		return v, nil
	}
	return nil, fmt.Errorf("a %T has no OSC type", a)
}

// ParseArg makes an argument of a word of a command line: 5 is an int, 0.5 a float, true and false are
// themselves, everything else a string; i:5, f:5, d:5 and s:5 say it.
func ParseArg(word string) (any, error) {
	kind, rest, typed := strings.Cut(word, ":")
	if typed {
		switch kind {
		case "i":
			v, err := strconv.ParseInt(rest, 10, 32)
			return int32(v), argError(word, "an int of 32 bits", err)
		case "f":
			v, err := strconv.ParseFloat(rest, 32)
			return float32(v), argError(word, "a float", err)
		case "d":
			v, err := strconv.ParseFloat(rest, 64)
			return v, argError(word, "a double", err)
		case "s":
			return rest, nil
		}
	}
	if v, err := strconv.ParseInt(word, 10, 32); err == nil {
		return int32(v), nil
	}
	if v, err := strconv.ParseFloat(word, 32); err == nil {
		return float32(v), nil
	}
	if word == "true" || word == "false" {
		return word == "true", nil
	}
	return word, nil
}

func argError(word, what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("argument %q is not %s", clip(word), what)
}

// String shows a message in a line: the address, then the arguments.
func (m *Message) String() string {
	var b strings.Builder
	b.Write(m.Address)
	for _, a := range m.Args {
		b.WriteByte(' ')
		switch a.Tag {
		case 'i':
			b.WriteString(strconv.Itoa(int(int32(a.Bits))))
		case 'h':
			b.WriteString(strconv.FormatInt(int64(a.Bits), 10))
		case 'f', 'd':
			v, _ := a.Number()
			b.WriteString(strconv.FormatFloat(v, 'g', -1, precision(a.Tag)))
		case 's', 'S':
			fmt.Fprintf(&b, "%q", a.Bytes)
		case 'b':
			fmt.Fprintf(&b, "<%d bytes>", len(a.Bytes))
		default:
			b.WriteString(show(a))
		}
	}
	return b.String()
}

func precision(tag byte) int {
	if tag == 'f' {
		return 32
	}
	return 64
}
