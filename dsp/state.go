package dsp

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// ErrState: a saved state that is cut off, too long, or not one of this kind.
var ErrState = errors.New("saved state does not fit")

// Encoder appends values, little-endian, to a slice with room for them.
type Encoder struct {
	b      []byte
	counts bool // nothing is appended
	n      int  // bytes that would have been
}

// NewEncoder appends to dst.
func NewEncoder(dst []byte) *Encoder { return &Encoder{b: dst} }

// NewCounter appends nothing: it counts how many bytes it is given, for who wants to know how large a state is without having it.
func NewCounter() *Encoder { return &Encoder{counts: true} }

// Count is how many bytes a counter was given.
func (e *Encoder) Count() int { return e.n }

// Skip counts n bytes that are known without being saved. It is false for what is no counter: that needs them.
func (e *Encoder) Skip(n int) bool {
	if e.counts {
		e.n += n
	}
	return e.counts
}

// Bytes is dst with what was appended.
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

// Float32s appends all of x: a delay line is saved once a second, between two blocks, and value by value that would take a block's time.
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

// Decoder takes the values out again. Past the end it gives zeros and remembers ErrState.
type Decoder struct {
	b   []byte
	err error
}

// NewDecoder reads from b.
func NewDecoder(b []byte) *Decoder { return &Decoder{b: b} }

// Remaining is how many bytes are left.
func (d *Decoder) Remaining() int { return len(d.b) }

// Err is ErrState once something did not fit.
func (d *Decoder) Err() error { return d.err }

// Fail says that a value read makes no sense.
func (d *Decoder) Fail() { d.err = ErrState }

// Uint64 takes a value.
func (d *Decoder) Uint64() uint64 {
	if len(d.b) < 8 {
		d.b, d.err = nil, ErrState
		return 0
	}
	v := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return v
}

// Uint32 takes a value.
func (d *Decoder) Uint32() uint32 {
	if len(d.b) < 4 {
		d.b, d.err = nil, ErrState
		return 0
	}
	v := binary.LittleEndian.Uint32(d.b)
	d.b = d.b[4:]
	return v
}

// Float64 takes a value.
func (d *Decoder) Float64() float64 { return math.Float64frombits(d.Uint64()) }

// Float32 takes a value.
func (d *Decoder) Float32() float32 { return math.Float32frombits(d.Uint32()) }

// Float32s fills x.
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

// Bool takes a value; anything but 0 and 1 fails.
func (d *Decoder) Bool() bool {
	v := d.Uint32()
	if v > 1 {
		d.Fail()
	}
	return v == 1
}
