package pipe

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// On the socket, all numbers little-endian: both sides say hello, then the taker sends how many frames it wants, and gets them as 32-bit floats.
const (
	magic   = 0x50524843 // "CHRP"
	version = 1
)

// hello is what either side says first: the taker its longest read and how long it waits for the workers, the audio process its rate and channels.
type hello struct{ a, b uint32 }

func (h hello) write(w io.Writer) error {
	var b [16]byte
	for i, v := range []uint32{magic, version, h.a, h.b} {
		binary.LittleEndian.PutUint32(b[4*i:], v)
	}
	_, err := w.Write(b[:])
	return err
}

func readHello(r io.Reader) (h hello, err error) {
	var b [16]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return h, fmt.Errorf("the other side says nothing: %w", err)
	}
	if got := binary.LittleEndian.Uint32(b[:]); got != magic {
		return h, fmt.Errorf("the other side is no pipe of Chronus: it begins with %#x", got)
	}
	if got := binary.LittleEndian.Uint32(b[4:]); got != version {
		return h, fmt.Errorf("the other side speaks version %d of the pipe, this one %d", got, version)
	}
	return hello{binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])}, nil
}

// putSamples encodes samples into b, which has room for them.
func putSamples(b []byte, samples []float32) []byte {
	for i, v := range samples {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return b[:4*len(samples)]
}

func takeSamples(samples []float32, b []byte) {
	for i := range samples {
		samples[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}
