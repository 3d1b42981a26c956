package server

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/music-chronus/chronus/osc"
)

// framing is the way packets follow one another on a connection.
type framing int

// unframed: unknown yet. counted: the packet's size as an int32 before it (OSC 1.0). slip: END
// around each packet (OSC 1.1, RFC 1055).
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
	errNoFraming = errors.New("unknown framing: want packets after their size, SLIP or HTTP")
	errTooLong   = fmt.Errorf("packet above %d bytes", osc.MaxStream)
)

// framingOf finds the framing by the first byte. A size is below 16 MB and begins with 0. SLIP
// begins with END, or with a packet's first byte if the client sends END only after packets.
func framingOf(first byte) (framing, error) {
	switch first {
	case 0:
		return counted, nil
	case slipEnd, '/', '#':
		return slip, nil
	}
	return unframed, errNoFraming
}

// unframer cuts a byte stream into packets, whatever pieces it arrives in. The zero unframer
// detects the framing.
type unframer struct {
	kind    framing
	buf     []byte // received bytes; those before read are consumed
	read    int    // start of the next packet
	scan    int    // SLIP: the bytes before it are decoded
	out     int    // SLIP: the packet so far is buf[read:out]
	escaped bool   // SLIP: the last byte was ESC
}

// keepBuffer is the size in bytes above which a buffer is dropped between packets.
const keepBuffer = 64 << 10

// space returns the buffer for the next bytes, of at least 1,024 bytes.
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

// advance records that n bytes of space are filled.
func (u *unframer) advance(n int) { u.buf = u.buf[:len(u.buf)+n] }

// partial reports whether a packet has begun and not ended.
func (u *unframer) partial() bool {
	if u.kind == slip {
		return u.out > u.read || u.escaped
	}
	return len(u.buf) > u.read
}

// next returns the next whole packet, valid until the next call of space, or nil if bytes are
// missing. After an error the connection must end: the beginning of the next packet is unknown.
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

// nextSlip removes the escapes in place. It ignores an invalid ESC, as RFC 1055 does.
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
			continue // between END and END
		}
		if u.out-u.read == osc.MaxStream {
			return nil, errTooLong
		}
		u.buf[u.out] = b
		u.out++
	}
	if u.scan > u.out { // removed escapes leave a gap
		u.buf, u.scan = u.buf[:u.out], u.out
	}
	return nil, nil
}

// appendFrame appends a packet in its framing to b.
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
