// Package framing cuts byte streams into OSC packets, in either framing of OSC, and frames packets.
package framing

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/music-chronus/chronus/osc"
)

// Kind is the way packets follow one another on a connection.
type Kind int

// The framings.
const (
	Unknown Kind = iota // no byte was received
	Counted             // the packet's size as an int32 before it (OSC 1.0)
	SLIP                // END around each packet (OSC 1.1, RFC 1055)
)

// The bytes of SLIP.
const (
	slipEnd    = 0xc0
	slipEsc    = 0xdb
	slipEscEnd = 0xdc
	slipEscEsc = 0xdd
)

// The errors of Detect and Next.
var (
	ErrUnknown = errors.New("unknown framing: want packets after their size, SLIP or HTTP")
	ErrTooLong = fmt.Errorf("packet above %d bytes", osc.MaxStream)
)

// Detect finds the framing by the first byte. A size is below 16 MB and begins with 0. SLIP
// begins with END, or with a packet's first byte if the client sends END only after packets.
func Detect(first byte) (Kind, error) {
	switch first {
	case 0:
		return Counted, nil
	case slipEnd, '/', '#':
		return SLIP, nil
	}
	return Unknown, ErrUnknown
}

// Unframer cuts a byte stream into packets, whatever pieces it arrives in. The zero unframer
// detects the framing.
type Unframer struct {
	Kind    Kind
	buf     []byte // received bytes; those before read are consumed
	read    int    // start of the next packet
	scan    int    // SLIP: the bytes before it are decoded
	out     int    // SLIP: the packet so far is buf[read:out]
	escaped bool   // SLIP: the last byte was ESC
}

// KeepBuffer is the size in bytes above which a buffer is dropped between packets.
const KeepBuffer = 64 << 10

// Space returns the buffer for the next bytes, of at least 1,024 bytes.
func (u *Unframer) Space() []byte {
	if u.read > 0 && (u.read == len(u.buf) || cap(u.buf)-len(u.buf) < 1024) {
		n := copy(u.buf, u.buf[u.read:])
		u.buf, u.scan, u.out, u.read = u.buf[:n], u.scan-u.read, u.out-u.read, 0
	}
	if len(u.buf) == 0 && cap(u.buf) > KeepBuffer {
		u.buf = nil
	}
	if cap(u.buf)-len(u.buf) < 1024 {
		grown := make([]byte, len(u.buf), max(4096, 2*cap(u.buf)))
		copy(grown, u.buf)
		u.buf = grown
	}
	return u.buf[len(u.buf):cap(u.buf)]
}

// Advance records that n bytes of space are filled.
func (u *Unframer) Advance(n int) { u.buf = u.buf[:len(u.buf)+n] }

// Partial reports whether a packet has begun and not ended.
func (u *Unframer) Partial() bool {
	if u.Kind == SLIP {
		return u.out > u.read || u.escaped
	}
	return len(u.buf) > u.read
}

// Next returns the next whole packet, valid until the next call of space, or nil if bytes are
// missing. After an error the connection must end: the beginning of the next packet is unknown.
func (u *Unframer) Next() (packet []byte, err error) {
	if u.Kind == Unknown {
		if len(u.buf) == 0 {
			return nil, nil
		}
		if u.Kind, err = Detect(u.buf[0]); err != nil {
			return nil, err
		}
	}
	if u.Kind == SLIP {
		return u.nextSlip()
	}
	rest := u.buf[u.read:]
	if len(rest) < 4 {
		return nil, nil
	}
	size := int(int32(binary.BigEndian.Uint32(rest)))
	if size < 0 || size > osc.MaxStream {
		return nil, ErrTooLong
	}
	if len(rest) < 4+size {
		return nil, nil
	}
	u.read += 4 + size
	return rest[4 : 4+size : 4+size], nil
}

// nextSlip removes the escapes in place. It ignores an invalid ESC, as RFC 1055 does.
func (u *Unframer) nextSlip() (packet []byte, err error) {
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
			return nil, ErrTooLong
		}
		u.buf[u.out] = b
		u.out++
	}
	if u.scan > u.out { // removed escapes leave a gap
		u.buf, u.scan = u.buf[:u.out], u.out
	}
	return nil, nil
}

// Append appends a packet in its framing to b.
func Append(b []byte, kind Kind, packet []byte) []byte {
	if kind != SLIP {
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
