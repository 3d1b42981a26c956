package osc

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"time"
)

// The limits of decoding.
const (
	MaxPacket   = 65507   // bytes of a UDP packet: the most that IPv4 carries
	MaxStream   = 1 << 20 // bytes of a packet over a connection
	MaxDepth    = 8       // levels of bundles; known clients need at most 2
	MaxArgs     = 512     // arguments of a message
	MaxElements = 1024    // elements of a packet, in all its bundles: bounds the answers to one packet
	MaxAddress  = 255     // bytes of an address, as of a file name; answers repeat it
)

// Immediately is the time tag that means now.
const Immediately uint64 = 1

// Message is one message of a packet. It points into the packet, and is valid until the decoder
// visits the next message. Clone makes a copy that stays valid.
type Message struct {
	Address []byte
	Time    uint64 // NTP format, of the innermost bundle; Immediately without a bundle
	Args    []Arg  // without array brackets

	Waited time.Duration // time in the socket before it was read over UDP; 0: unknown
}

// Arg is one argument: its type tag, and its bits or its bytes.
type Arg struct {
	Tag   byte
	Bits  uint64
	Bytes []byte // s, S, b
}

// Number returns the argument as a number. ok is false unless it has type i, h, f or d.
func (a Arg) Number() (v float64, ok bool) {
	switch a.Tag {
	case 'i':
		return float64(int32(a.Bits)), true
	case 'h':
		return float64(int64(a.Bits)), true
	case 'f':
		return float64(math.Float32frombits(uint32(a.Bits))), true
	case 'd':
		return math.Float64frombits(a.Bits), true
	}
	return 0, false
}

// Decoder decodes packets. It reuses its memory, so one goroutine uses it, and decoding does not
// allocate. The zero Decoder accepts packets of at most MaxPacket bytes.
type Decoder struct {
	Most int // bytes of the largest packet; 0: MaxPacket

	packet   []byte
	args     [MaxArgs]Arg
	msg      Message
	elements int
	err      DecodeError
	visit    func(*Message)
	wrong    func(*DecodeError)
}

// Decode calls visit for each message of a packet, in order. It skips a malformed element of a
// bundle, and calls wrong with the fault, which is valid until the next call.
func (d *Decoder) Decode(packet []byte, visit func(*Message), wrong func(*DecodeError)) {
	d.packet, d.elements, d.visit, d.wrong = packet, 0, visit, wrong
	d.element(0, len(packet), Immediately, 0)
}

func (d *Decoder) fault(f Fault, at int) {
	d.err = DecodeError{f, at}
	d.wrong(&d.err)
}

// most is the size of the largest packet in bytes.
func (d *Decoder) most() int {
	if d.Most == 0 {
		return MaxPacket
	}
	return d.Most
}

// element decodes packet[from:to], a message or a bundle.
func (d *Decoder) element(from, to int, time uint64, depth int) {
	switch {
	case from == to || (to-from)%4 != 0 || to-from > d.most():
		d.fault(FaultSize, from)
	case d.packet[from] == '#':
		d.bundle(from, to, time, depth)
	default:
		d.msg = Message{Time: time}
		if f, at, ok := d.message(from, to, &d.msg); !ok {
			d.fault(f, at)
			return
		}
		d.visit(&d.msg)
	}
}

var bundleHead = []byte("#bundle\x00")

// bundle decodes a bundle inside one with time tag outer. A time tag of Immediately stands for the
// outer one. A time tag before the outer one is a fault (OSC 1.0: "must be greater than or equal").
func (d *Decoder) bundle(from, to int, outer uint64, depth int) {
	if depth == MaxDepth {
		d.fault(FaultDepth, from)
		return
	}
	if to-from < 16 || !bytes.Equal(d.packet[from:from+8], bundleHead) {
		d.fault(FaultBundle, from)
		return
	}
	time := binary.BigEndian.Uint64(d.packet[from+8:])
	switch {
	case time == Immediately:
		time = outer
	case outer != Immediately && int64(time-outer) < 0: // modulo 2^64, since the era ends in 2036
		d.fault(FaultTime, from+8)
		return
	}
	for at := from + 16; at < to; {
		if d.elements++; d.elements > MaxElements {
			d.fault(FaultCount, at)
			return
		}
		if to-at < 4 {
			d.fault(FaultBundle, at)
			return
		}
		size := int(int32(binary.BigEndian.Uint32(d.packet[at:])))
		if size < 0 || size > to-at-4 {
			d.fault(FaultBundle, at) // the start of the next element is unknown
			return
		}
		d.element(at+4, at+4+size, time, depth+1)
		at += 4 + size
	}
}

// text returns the string at from, and the position after its padding.
func (d *Decoder) text(from, to int) (s []byte, next int, ok bool) {
	n := bytes.IndexByte(d.packet[from:to], 0)
	if n < 0 {
		return nil, 0, false
	}
	next = from + (n/4+1)*4
	return d.packet[from : from+n], next, next <= to
}

func (d *Decoder) message(from, to int, m *Message) (Fault, int, bool) {
	address, at, ok := d.text(from, to)
	if !ok {
		return FaultString, from, false
	}
	if !sendable(address) {
		return FaultAddress, from, false
	}
	m.Address = address
	if at == to {
		return 0, 0, true // old clients send no type tags
	}
	tags, data, ok := d.text(at, to)
	if !ok {
		return FaultString, at, false
	}
	if len(tags) == 0 || tags[0] != ',' {
		return FaultTag, at, false
	}
	return d.arguments(tags[1:], at+1, data, to, m)
}

// sendable reports whether an address begins with / and is printable ASCII of at most MaxAddress
// bytes.
func sendable[T string | []byte](address T) bool {
	if len(address) < 2 || len(address) > MaxAddress || address[0] != '/' {
		return false
	}
	for i := range len(address) {
		if c := address[i]; c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

func (d *Decoder) arguments(tags []byte, tagAt, at, to int, m *Message) (Fault, int, bool) {
	count, depth := 0, 0
	for i, tag := range tags {
		switch tag {
		case '[':
			depth++
			continue
		case ']':
			if depth--; depth < 0 {
				return FaultTag, tagAt + i, false
			}
			continue
		}
		if count == MaxArgs {
			return FaultCount, tagAt + i, false
		}
		next, f, ok := d.argument(tag, at, to, &d.args[count])
		if !ok {
			if f == FaultTag {
				return f, tagAt + i, false
			}
			return f, at, false
		}
		at = next
		count++
	}
	switch {
	case depth != 0:
		return FaultTag, tagAt + len(tags), false
	case at != to:
		return FaultTrailing, at, false
	}
	m.Args = d.args[:count]
	return 0, 0, true
}

// argument decodes the argument at at, and returns the position after it.
func (d *Decoder) argument(tag byte, at, to int, a *Arg) (next int, f Fault, ok bool) {
	*a = Arg{Tag: tag}
	switch tag {
	case 'T', 'F', 'N', 'I':
		return at, 0, true
	case 'i', 'f', 'c', 'r', 'm':
		if to-at < 4 {
			return 0, FaultArgument, false
		}
		a.Bits = uint64(binary.BigEndian.Uint32(d.packet[at:]))
		return at + 4, 0, true
	case 'h', 'd', 't':
		if to-at < 8 {
			return 0, FaultArgument, false
		}
		a.Bits = binary.BigEndian.Uint64(d.packet[at:])
		return at + 8, 0, true
	case 's', 'S':
		a.Bytes, next, ok = d.text(at, to)
		return next, FaultString, ok
	case 'b':
		return d.blob(at, to, a)
	}
	return 0, FaultTag, false
}

func (d *Decoder) blob(at, to int, a *Arg) (next int, f Fault, ok bool) {
	if to-at < 4 {
		return 0, FaultArgument, false
	}
	size := int(int32(binary.BigEndian.Uint32(d.packet[at:])))
	if size < 0 || size > to-at-4 || at+4+(size+3)/4*4 > to {
		return 0, FaultArgument, false
	}
	a.Bytes = d.packet[at+4 : at+4+size]
	return at + 4 + (size+3)/4*4, 0, true
}

// Clone returns a copy of the message that stays valid: it points into no packet.
func (m *Message) Clone() *Message {
	c := *m
	c.Address = bytes.Clone(m.Address)
	c.Args = slices.Clone(m.Args)
	for i := range c.Args {
		c.Args[i].Bytes = bytes.Clone(c.Args[i].Bytes)
	}
	return &c
}
