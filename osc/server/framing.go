package server

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/music-chronus/chronus/osc"
)

// framing is how packets follow one another on a connection.
type framing int

// unframed: nothing has come yet. counted: an int32 with the size before each packet (OSC 1.0). slip: END around each
// packet (OSC 1.1, RFC 1055).
const (
	unframed framing = iota
	counted
	slip
)

// The bytes of SLIP.
const (
	slipEnd    = 0xc0
	slipEsc    = 0xdb
	slipEscEnd = 0xdc
	slipEscEsc = 0xdd
)

var (
	errNoFraming = errors.New("neither packets with their size before them nor SLIP nor HTTP")
	errTooLong   = fmt.Errorf("a packet is longer than %d bytes", osc.MaxStream)
)

// framingOf tells the framings apart by the first byte: a size is below 16 MB and begins with 0, SLIP begins with END,
// or, from who sends END only behind packets, with a packet's first byte.
func framingOf(first byte) (framing, error) {
	switch first {
	case 0:
		return counted, nil
	case slipEnd, '/', '#':
		return slip, nil
	}
	return unframed, errNoFraming
}

// unframer cuts a stream of bytes into packets, however it was cut itself. The zero unframer finds out the framing.
type unframer struct {
	kind framing
	buf  []byte // what has come, from read on
	read int    // where the next packet begins
	// of SLIP
	scan    int  // up to here it is looked at
	out     int  // the packet is buf[read:out]
	escaped bool // the byte before was ESC
}

// keepBuffer is how large a buffer may stay between two packets.
const keepBuffer = 64 << 10

// space is where the next bytes go to: at least some hundred.
func (u *unframer) space() []byte {
	if u.read > 0 && (u.read == len(u.buf) || cap(u.buf)-len(u.buf) < 1024) {
		n := copy(u.buf, u.buf[u.read:])
		u.buf, u.scan, u.out, u.read = u.buf[:n], u.scan-u.read, u.out-u.read, 0
	}
	if len(u.buf) == 0 && cap(u.buf) > keepBuffer {
		u.buf = nil
	}
	if cap(u.buf)-len(u.buf) < 1024 {
		grown := make([]byte, len(u.buf), max(4096, 2*cap(u.buf)))
		copy(grown, u.buf)
		u.buf = grown
	}
	return u.buf[len(u.buf):cap(u.buf)]
}

// came says that n bytes of space are filled.
func (u *unframer) came(n int) { u.buf = u.buf[:len(u.buf)+n] }

// partial tells whether a packet has begun and not ended.
func (u *unframer) partial() bool {
	if u.kind == slip {
		return u.out > u.read || u.escaped
	}
	return len(u.buf) > u.read
}

// next is the next whole packet, good until the next call of space; nil if more must come first. An error ends the
// connection: where the next packet begins is not to be known.
func (u *unframer) next() (packet []byte, err error) {
	if u.kind == unframed {
		if len(u.buf) == 0 {
			return nil, nil
		}
		if u.kind, err = framingOf(u.buf[0]); err != nil {
			return nil, err
		}
	}
	if u.kind == slip {
		return u.nextSlip()
	}
	rest := u.buf[u.read:]
	if len(rest) < 4 {
		return nil, nil
	}
	size := int(int32(binary.BigEndian.Uint32(rest)))
	if size < 0 || size > osc.MaxStream {
		return nil, errTooLong
	}
	if len(rest) < 4+size {
		return nil, nil
	}
	u.read += 4 + size
	return rest[4 : 4+size : 4+size], nil
}

// nextSlip undoes the escapes where they stand. An ESC before anything else is passed over, as RFC 1055 does.
func (u *unframer) nextSlip() (packet []byte, err error) {
	if u.scan < u.read {
		u.scan, u.out = u.read, u.read
	}
	for u.scan < len(u.buf) {
		b := u.buf[u.scan]
		u.scan++
		escaped := u.escaped
		u.escaped = false
		switch {
		case escaped && b == slipEscEnd:
			b = slipEnd
		case escaped && b == slipEscEsc:
			b = slipEsc
		case b == slipEsc:
			u.escaped = true
			continue
		case b == slipEnd:
			packet = u.buf[u.read:u.out:u.out]
			u.read, u.out = u.scan, u.scan
			if len(packet) > 0 {
				return packet, nil
			}
			continue // END END: nothing between
		}
		if u.out-u.read == osc.MaxStream {
			return nil, errTooLong
		}
		u.buf[u.out] = b
		u.out++
	}
	if u.scan > u.out { // what was undone leaves a hole
		u.buf, u.scan = u.buf[:u.out], u.out
	}
	return nil, nil
}

// appendFrame adds a packet in its framing to b.
func appendFrame(b []byte, kind framing, packet []byte) []byte {
	if kind != slip {
		return append(binary.BigEndian.AppendUint32(b, uint32(len(packet))), packet...)
	}
	b = append(b, slipEnd)
	for _, c := range packet {
		switch c {
		case slipEnd:
			b = append(b, slipEsc, slipEscEnd)
		case slipEsc:
			b = append(b, slipEsc, slipEscEsc)
		default:
			b = append(b, c)
		}
	}
	return append(b, slipEnd)
}
