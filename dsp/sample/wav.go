package sample

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// The formats of a WAV file, and the bytes after the format in the subformat of an extensible one.
const (
	wavPCM        = 1
	wavFloat      = 3
	wavExtensible = 0xFFFE
	wavGUID       = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
)

// wavOpen is the size of a data chunk of unknown length, as a stream's writer leaves it.
const wavOpen = math.MaxUint32

// wavFormat is the layout of the values in the file.
type wavFormat struct {
	format, channels, bits int
	rate                   int
}

func decodeWAV(r io.Reader, most int) (*dsp.Sample, error) {
	var head [12]byte
	if err := wavRead(r, head[:], "the RIFF header"); err != nil {
		return nil, err
	}
	if string(head[8:]) != "WAVE" {
		return nil, fmt.Errorf("RIFF file of type %q; must be WAVE", head[8:])
	}
	var format *wavFormat
	for {
		var chunk [8]byte
		if err := wavRead(r, chunk[:], "a chunk header before the data chunk"); err != nil {
			return nil, err
		}
		name, size := string(chunk[:4]), binary.LittleEndian.Uint32(chunk[4:])
		switch {
		case name == "data" && format == nil:
			return nil, errors.New("the data chunk precedes the fmt chunk")
		case name == "data":
			return format.sound(r, size, most)
		case name == "fmt ":
			f, err := readFormat(r, size)
			if err != nil {
				return nil, err
			}
			format, size = f, 0
		}
		if _, err := io.CopyN(io.Discard, r, int64(size)+int64(size&1)); err != nil {
			return nil, wavCut(err, fmt.Sprintf("the chunk %q", name))
		}
	}
}

func wavRead(r io.Reader, b []byte, what string) error {
	_, err := io.ReadFull(r, b)
	return wavCut(err, what)
}

// wavCut names the part in which a file ends too early.
func wavCut(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("cut off in %s", what)
	}
	return err
}

// readFormat reads the fmt chunk.
func readFormat(r io.Reader, size uint32) (*wavFormat, error) {
	if size < 16 || size > 1024 {
		return nil, fmt.Errorf("fmt chunk of %d bytes; must be 16 to 1024", size)
	}
	b := make([]byte, size+size&1)
	if err := wavRead(r, b, "the fmt chunk"); err != nil {
		return nil, err
	}
	f := &wavFormat{
		format: int(binary.LittleEndian.Uint16(b)), channels: int(binary.LittleEndian.Uint16(b[2:])),
		rate: int(binary.LittleEndian.Uint32(b[4:])), bits: int(binary.LittleEndian.Uint16(b[14:])),
	}
	if f.format == wavExtensible {
		if size < 40 || string(b[26:40]) != wavGUID {
			return nil, errors.New("the extensible format is neither PCM nor float; convert the file to one of these")
		}
		f.format = int(binary.LittleEndian.Uint16(b[24:]))
	}
	switch {
	case f.format == wavPCM && (f.bits == 8 || f.bits == 16 || f.bits == 24 || f.bits == 32):
	case f.format == wavFloat && (f.bits == 32 || f.bits == 64):
	default:
		return nil, fmt.Errorf("format %d with %d bits; must be PCM (1) of 8, 16, 24 or 32 bits, "+
			"or float (3) of 32 or 64 bits: convert the file", f.format, f.bits)
	}
	if align := int(binary.LittleEndian.Uint16(b[12:])); align != f.frame() {
		return nil, fmt.Errorf("frames of %d bytes; must be %d channels of %d bits, which is %d bytes", align,
			f.channels, f.bits, f.frame())
	}
	return f, nil
}

// frame returns the size of a frame in bytes.
func (f *wavFormat) frame() int { return f.channels * f.bits / 8 }

// sound reads the data chunk of size bytes.
func (f *wavFormat) sound(r io.Reader, size uint32, most int) (*dsp.Sample, error) {
	c, err := newCollector(f.rate, f.channels, most)
	if err != nil {
		return nil, err
	}
	frames := uint64(size) / uint64(f.frame())
	if size != wavOpen {
		if err := c.check(frames); err != nil {
			return nil, err
		}
		if uint64(size) != frames*uint64(f.frame()) {
			return nil, fmt.Errorf("data chunk of %d bytes; must be a multiple of the frame size, %d", size, f.frame())
		}
	}
	b := make([]byte, 4096*f.frame())
	for at := uint64(0); at < frames || size == wavOpen; {
		want := b
		if size != wavOpen {
			want = b[:min(uint64(len(b)), (frames-at)*uint64(f.frame()))]
		}
		n, err := io.ReadFull(r, want)
		for k := 0; k+f.frame() <= n; k += f.frame() {
			for channel := range f.channels {
				if err := c.add(channel, f.value(want[k+channel*f.bits/8:])); err != nil {
					return nil, err
				}
			}
			at++
		}
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		switch {
		case ended && size == wavOpen:
			return c.sample()
		case ended:
			return nil, fmt.Errorf("cut off: %d of %d frames are there", at, frames)
		case err != nil:
			return nil, err
		}
	}
	return c.sample()
}

// value decodes the value at the beginning of b. Full scale of integers is 1.
func (f *wavFormat) value(b []byte) float64 {
	switch {
	case f.format == wavFloat && f.bits == 64:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	case f.format == wavFloat:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case f.bits == 8:
		return (float64(b[0]) - 128) / (1 << 7)
	case f.bits == 16:
		return float64(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
	case f.bits == 24:
		return float64(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 31)
	}
	return float64(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
}
