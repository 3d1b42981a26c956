package pipe

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// On the socket both sides say hello. Then the sink sends numbers of frames, and receives that many
// as 32-bit floats. All numbers are little-endian.
const (
	magic   = 0x50524843 // "CHRP"
	version = 1
)

// hello is the first message of either side. The audio process sends rate and channels. The sink
// sends its period in frames and its patience in ms, or 0 and its rate to refuse.
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
		return h, fmt.Errorf("the peer sent no hello: %w", err)
	}
	if got := binary.LittleEndian.Uint32(b[:]); got != magic {
		return h, fmt.Errorf("the peer is not a Chronus pipe: its hello begins with %#x", got)
	}
	if got := binary.LittleEndian.Uint32(b[4:]); got != version {
		return h, fmt.Errorf("the peer has pipe version %d, this program %d", got, version)
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
