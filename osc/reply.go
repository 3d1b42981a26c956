package osc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	goosc "github.com/hypebeast/go-osc/osc"
)

// maxLine bounds the text of a message in bytes: one screen of a terminal.
const maxLine = 2000

// checkAddress reports why a packet cannot carry an address.
func checkAddress(address string) error {
	if sendable(address) {
		return nil
	}
	return fmt.Errorf("address %q: must begin with / and be printable ASCII of at most %d bytes",
		clip(address, shown), MaxAddress)
}

// Encode encodes one message. Arguments are int, int32, int64, uint64, float32, float64, string,
// bool or []byte. An int becomes an int32 if it fits. Values that go-osc would encode wrongly are
// errors.
func Encode(address string, args ...any) ([]byte, error) {
	if err := checkAddress(address); err != nil {
		return nil, err
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
		return nil, fmt.Errorf("%s: packet of %d bytes; the most are %d", address, len(b), MaxPacket)
	}
	return b, nil
}

// EncodeDone encodes /done address, the answer to a message that was carried out. It allocates only
// the packet: under a flood nearly all answers are this one.
func EncodeDone(address string) ([]byte, error) {
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(doneHead)+len(address)+4)
	b = append(append(b, doneHead...), address...)
	return append(b, "\x00\x00\x00\x00"[len(address)%4:]...), nil
}

// doneHead is a /done up to its one argument, a string.
const doneHead = "/done\x00\x00\x00,s\x00\x00"

// failBytes is the size of a /fail without its address and reason, both padded to four bytes.
const failBytes = 8 + 4 + 2*4

// minReason is the length in bytes below which EncodeFail does not cut a reason.
const minReason = 16

// EncodeFail encodes /fail address reason, the answer to a refused message. It cuts the reason to
// MaxReason bytes, and further so that the packet has about room bytes, but not below 16 bytes.
func EncodeFail(address, reason string, room int) ([]byte, error) {
	address = clip(address, MaxAddress)
	most := min(MaxReason, room-len(address)-failBytes)
	return Encode("/fail", address, clip(reason, max(most, minReason)))
}

// EncodeBundle encodes packets that take effect together, at a time tag: one of Tag, or
// Immediately.
func EncodeBundle(tag uint64, packets ...[]byte) ([]byte, error) {
	b := AppendBundle(nil, tag)
	for _, p := range packets {
		b = AppendElement(b, p)
	}
	if len(b) > MaxPacket {
		return nil, fmt.Errorf("bundle of %d packets: %d bytes; the most are %d", len(packets), len(b), MaxPacket)
	}
	return b, nil
}

// AppendBundle appends the head of a bundle with a time tag. Each element follows by AppendElement.
func AppendBundle(b []byte, tag uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, bundleHead...), tag)
}

// AppendElement appends a packet, with its size before it, to a bundle.
func AppendElement(b, packet []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(packet))), packet...)
}

// encodable converts a value to one that go-osc encodes.
func encodable(a any) (any, error) {
	switch v := a.(type) {
	case int:
		return narrow(int64(v)), nil
	case uint64:
		if v > math.MaxInt64 {
			return nil, fmt.Errorf("%d is above the largest integer of OSC, %d", v, math.MaxInt64)
		}
		return int64(v), nil
	case int32, int64, float32, float64, bool, []byte:
		return v, nil
	case string:
		if strings.IndexByte(v, 0) >= 0 {
			return nil, errors.New("string contains a NUL byte, which would end it")
		}
		return v, nil
	}
	return nil, fmt.Errorf("type %T has no OSC type", a)
}

// narrow returns an integer as int32 if it fits, since few clients read int64.
func narrow(v int64) any {
	if v == int64(int32(v)) {
		return int32(v)
	}
	return v
}

// ParseArg parses an argument of a command line. 5 is an int, 0.5 a float, true and false are
// bools, all else is a string. The prefixes i:, f:, d: and s: force a type. Numbers that do not fit
// 32 bits as written get 64.
func ParseArg(word string) (any, error) {
	if kind, rest, ok := strings.Cut(word, ":"); ok {
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
	if word == "true" || word == "false" {
		return word == "true", nil
	}
	if v, err := strconv.ParseInt(word, 10, 64); err == nil {
		return narrow(v), nil
	}
	// inf and nan without a prefix are strings: they may be names.
	if v, err := strconv.ParseFloat(word, 64); err == nil && strings.ContainsAny(word, "0123456789") {
		return single(v), nil
	}
	return word, nil
}

// single returns a number as float32 if that prints the same digits, like 0.1.
func single(v float64) any {
	if same, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 32), 64); same == v {
		return float32(v)
	}
	return v
}

func argError(word, what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("argument %q is not %s", clip(word, shown), what)
}

// String returns the address and the arguments, in a line of at most 2,000 printable bytes.
func (m *Message) String() string {
	var b strings.Builder
	b.Write(m.Address)
	for i := 0; i < len(m.Args) && b.Len() <= maxLine; i++ {
		b.WriteByte(' ')
		b.WriteString(m.Args[i].String())
	}
	return clip(b.String(), maxLine)
}

// String returns the argument with all digits, or the first 2,000 bytes of a string.
func (a Arg) String() string {
	switch a.Tag {
	case 'i':
		return strconv.Itoa(int(int32(a.Bits)))
	case 'h':
		return strconv.FormatInt(int64(a.Bits), 10)
	case 'f':
		return strconv.FormatFloat(float64(math.Float32frombits(uint32(a.Bits))), 'g', -1, 32)
	case 'd':
		return strconv.FormatFloat(math.Float64frombits(a.Bits), 'g', -1, 64)
	case 's', 'S':
		return strconv.Quote(string(a.Bytes[:min(len(a.Bytes), maxLine)]))
	case 'b':
		return fmt.Sprintf("<%d bytes>", len(a.Bytes))
	}
	return show(a)
}
