package dsp

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// ErrState is the error of a saved state that is truncated, too long, or not of this kind.
var ErrState = errors.New("saved state does not fit")

// Encoder appends values to a slice, little-endian.
type Encoder struct {
	b      []byte
	counts bool // counts bytes instead of appending them
	n      int  // bytes counted
}

// NewEncoder returns an encoder that appends to dst.
func NewEncoder(dst []byte) *Encoder { return &Encoder{b: dst} }

// NewCounter returns an encoder that only counts the bytes of a state, and appends none.
func NewCounter() *Encoder { return &Encoder{counts: true} }

// Count returns the number of bytes that a counter counted. It is 0 for other encoders.
func (e *Encoder) Count() int { return e.n }

// Skip counts n bytes and returns true if e is a counter, so that the caller need not append them.
// It returns false for other encoders.
func (e *Encoder) Skip(n int) bool {
	if e.counts {
		e.n += n
	}
	return e.counts
}

// Bytes returns the slice with the appended values. It is nil for a counter.
func (e *Encoder) Bytes() []byte { return e.b }

// Uint64 appends v.
func (e *Encoder) Uint64(v uint64) {
	if !e.Skip(8) {
		e.b = binary.LittleEndian.AppendUint64(e.b, v)
	}
}

// Uint32 appends v.
func (e *Encoder) Uint32(v uint32) {
	if !e.Skip(4) {
		e.b = binary.LittleEndian.AppendUint32(e.b, v)
	}
}

// Float64 appends v, bit for bit.
func (e *Encoder) Float64(v float64) { e.Uint64(math.Float64bits(v)) }

// Float32 appends v, bit for bit.
func (e *Encoder) Float32(v float32) { e.Uint32(math.Float32bits(v)) }

// Float32s appends all of x. It is faster than a call for each value, which for the delay lines of
// a snapshot would take the time of a block.
func (e *Encoder) Float32s(x []float32) {
	if e.Skip(4 * len(x)) {
		return
	}
	n := len(e.b)
	e.b = slices.Grow(e.b, 4*len(x))[:n+4*len(x)]
	b := e.b[n:]
	for _, v := range x {
		binary.LittleEndian.PutUint32(b, math.Float32bits(v))
		b = b[4:]
	}
}

// Bool appends v.
func (e *Encoder) Bool(v bool) {
	var u uint32
	if v {
		u = 1
	}
	e.Uint32(u)
}

// Decoder reads what an Encoder appended. Past the end it returns zeros, and its error is ErrState.
type Decoder struct {
	b   []byte
	err error
}

// NewDecoder returns a decoder that reads from b.
func NewDecoder(b []byte) *Decoder { return &Decoder{b: b} }

// Remaining returns the number of unread bytes.
func (d *Decoder) Remaining() int { return len(d.b) }

// Err returns ErrState after a value did not fit, nil before.
func (d *Decoder) Err() error { return d.err }

// Fail sets the error to ErrState, for a value without meaning.
func (d *Decoder) Fail() { d.err = ErrState }

// Uint64 reads a value, bit for bit.
func (d *Decoder) Uint64() uint64 {
	if len(d.b) < 8 {
		d.b, d.err = nil, ErrState
		return 0
	}
	v := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return v
}

// Uint32 reads a value, bit for bit.
func (d *Decoder) Uint32() uint32 {
	if len(d.b) < 4 {
		d.b, d.err = nil, ErrState
		return 0
	}
	v := binary.LittleEndian.Uint32(d.b)
	d.b = d.b[4:]
	return v
}

// Float64 reads a value, bit for bit.
func (d *Decoder) Float64() float64 { return math.Float64frombits(d.Uint64()) }

// Float32 reads a value, bit for bit.
func (d *Decoder) Float32() float32 { return math.Float32frombits(d.Uint32()) }

// Float32s reads all values of x.
func (d *Decoder) Float32s(x []float32) {
	if len(d.b) < 4*len(x) {
		clear(x)
		d.b, d.err = nil, ErrState
		return
	}
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(d.b[4*i:]))
	}
	d.b = d.b[4*len(x):]
}

// Bool reads a value. A value other than 0 and 1 fails.
func (d *Decoder) Bool() bool {
	v := d.Uint32()
	if v > 1 {
		d.Fail()
	}
	return v == 1
}
