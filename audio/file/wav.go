package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// The layout of a written file: RIFF (IBM and Microsoft, 1991), or RF64 (EBU Tech 3306) if it is
// longer than 4 GiB. A JUNK chunk reserves the place of RF64's ds64 chunk.
const (
	headerSize = 12 + 36 + 26 + 12 + 8 // RIFF, JUNK or ds64, fmt, fact, data
	atDS64     = 12
	atFormat   = atDS64 + 36
	atFact     = atFormat + 26
	atData     = atFact + 12
)

// riffMax is the most bytes of data that 32-bit sizes can express.
const riffMax = math.MaxUint32 - headerSize

// Writer writes a WAV file of 32-bit floats. Every Write updates the header, so the file of a
// killed writer is valid up to its last Write.
type Writer struct {
	f        *os.File
	rate     int
	channels int
	data     int64 // bytes
	max      int64 // most data of a RIFF file; RF64 beyond
	buf      []byte
}

// Create makes the file, or truncates an existing one.
func Create(path string, rate, channels int) (*Writer, error) {
	if rate <= 0 || channels <= 0 || channels > math.MaxUint16 {
		return nil, fmt.Errorf("WAV %s: rate %d, channels %d", path, rate, channels)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("WAV: %w", err)
	}
	w := &Writer{f: f, rate: rate, channels: channels, max: riffMax}
	if err := w.header(); err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

// Append continues a file that Create made with the same rate and channels, after the data of its
// header. If the file is missing or different, Append is Create.
func Append(path string, rate, channels int) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return Create(path, rate, channels)
	}
	w := &Writer{f: f, rate: rate, channels: channels, max: riffMax}
	h := make([]byte, headerSize)
	if _, err := f.ReadAt(h, 0); err == nil {
		le := binary.LittleEndian
		w.data = int64(le.Uint32(h[atData+4:]))
		if w.data == math.MaxUint32 {
			w.data = int64(le.Uint64(h[atDS64+16:]))
		}
		if st, err := f.Stat(); err == nil && w.data <= st.Size()-headerSize && bytes.Equal(h, w.headerBytes()) {
			return w, nil
		}
	}
	f.Close()
	return Create(path, rate, channels)
}

// Write appends interleaved frames.
func (w *Writer) Write(samples []float32) error {
	if len(samples)%w.channels != 0 {
		return fmt.Errorf("WAV %s: %d samples are not a whole number of frames of %d channels",
			w.f.Name(), len(samples), w.channels)
	}
	w.buf = w.buf[:0]
	for _, v := range samples {
		w.buf = binary.LittleEndian.AppendUint32(w.buf, math.Float32bits(v))
	}
	if _, err := w.f.WriteAt(w.buf, headerSize+w.data); err != nil {
		return fmt.Errorf("WAV: %w", err)
	}
	w.data += int64(len(w.buf))
	return w.header()
}

// Frames returns the number of frames written.
func (w *Writer) Frames() int64 { return w.data / int64(4*w.channels) }

func (w *Writer) header() error {
	if _, err := w.f.WriteAt(w.headerBytes(), 0); err != nil {
		return fmt.Errorf("WAV: %w", err)
	}
	return nil
}

func (w *Writer) headerBytes() []byte {
	le := binary.LittleEndian
	h := make([]byte, headerSize)
	frames := uint64(w.Frames())
	if w.data <= w.max {
		copy(h, "RIFF")
		le.PutUint32(h[4:], uint32(headerSize-8+w.data))
		copy(h[atDS64:], "JUNK")
		le.PutUint32(h[atFact+8:], uint32(frames))
		le.PutUint32(h[atData+4:], uint32(w.data))
	} else {
		copy(h, "RF64")
		le.PutUint32(h[4:], math.MaxUint32)
		copy(h[atDS64:], "ds64")
		le.PutUint64(h[atDS64+8:], uint64(headerSize-8+w.data))
		le.PutUint64(h[atDS64+16:], uint64(w.data))
		le.PutUint64(h[atDS64+24:], frames)
		le.PutUint32(h[atFact+8:], math.MaxUint32)
		le.PutUint32(h[atData+4:], math.MaxUint32)
	}
	copy(h[8:], "WAVE")
	le.PutUint32(h[atDS64+4:], 28)
	w.format(h[atFormat:])
	copy(h[atFact:], "fact")
	le.PutUint32(h[atFact+4:], 4)
	copy(h[atData:], "data")
	return h
}

func (w *Writer) format(h []byte) {
	le := binary.LittleEndian
	copy(h, "fmt ")
	le.PutUint32(h[4:], 18)
	le.PutUint16(h[8:], formatFloat)
	le.PutUint16(h[10:], uint16(w.channels))
	le.PutUint32(h[12:], uint32(w.rate))
	le.PutUint32(h[16:], uint32(w.rate*w.channels*4))
	le.PutUint16(h[20:], uint16(w.channels*4))
	le.PutUint16(h[22:], 32)
}

// Close closes the file.
func (w *Writer) Close() error { return w.f.Close() }

const (
	formatPCM   = 1
	formatFloat = 3
	formatExt   = 0xfffe // the real format is in the extension
)

// ErrWAV is returned for a file that Read cannot read.
var ErrWAV = errors.New("not a WAV file of 32-bit floats or of 16-bit or 32-bit integers")

// readMax is the most bytes that Read reads.
const readMax = 1 << 30

// Read reads a whole WAV or RF64 file of 32-bit floats, or of 16-bit or 32-bit integers. The
// samples are interleaved. A file shorter than its header says is an error.
func Read(path string) (rate, channels int, samples []float32, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("WAV: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, readMax))
	if err != nil {
		return 0, 0, nil, fmt.Errorf("WAV: %w", err)
	}
	rate, channels, samples, err = parse(b)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("WAV %s: %w", path, err)
	}
	return rate, channels, samples, nil
}

// wav holds the chunks of a file.
type wav struct {
	format, channels, bits uint16
	rate                   uint32
	data                   []byte
	long                   uint64 // size of data, from ds64
}

func parse(b []byte) (rate, channels int, samples []float32, err error) {
	var w wav
	if err := w.chunks(b); err != nil {
		return 0, 0, nil, err
	}
	switch {
	case w.channels == 0 || w.rate == 0 || w.rate > math.MaxInt32 || w.data == nil:
		return 0, 0, nil, fmt.Errorf("no format or no data: %w", ErrWAV)
	case w.format == formatFloat && w.bits == 32:
		samples = make([]float32, len(w.data)/4)
		for i := range samples {
			samples[i] = math.Float32frombits(binary.LittleEndian.Uint32(w.data[4*i:]))
		}
	case w.format == formatPCM && w.bits == 32:
		samples = make([]float32, len(w.data)/4)
		for i := range samples {
			samples[i] = float32(float64(int32(binary.LittleEndian.Uint32(w.data[4*i:]))) / (1 << 31))
		}
	case w.format == formatPCM && w.bits == 16:
		samples = make([]float32, len(w.data)/2)
		for i := range samples {
			samples[i] = float32(int16(binary.LittleEndian.Uint16(w.data[2*i:]))) / (1 << 15)
		}
	default:
		return 0, 0, nil, fmt.Errorf("format %d with %d bits: %w", w.format, w.bits, ErrWAV)
	}
	return int(w.rate), int(w.channels), samples[:len(samples)/int(w.channels)*int(w.channels)], nil
}

func (w *wav) chunks(b []byte) error {
	if len(b) < 12 || (string(b[:4]) != "RIFF" && string(b[:4]) != "RF64") || string(b[8:12]) != "WAVE" {
		return ErrWAV
	}
	for at := uint64(12); at+8 <= uint64(len(b)); {
		id, size := string(b[at:at+4]), uint64(binary.LittleEndian.Uint32(b[at+4:]))
		at += 8
		if id == "data" && size == math.MaxUint32 && w.long > 0 {
			size = w.long
		}
		if size > uint64(len(b))-at {
			return fmt.Errorf("chunk %q: header says %d bytes, file has %d: %w", id, size, uint64(len(b))-at, ErrWAV)
		}
		w.chunk(id, b[at:at+size])
		if id == "data" {
			return nil // a killed Writer may leave data behind that its header does not count
		}
		at += size + size%2
	}
	return nil
}

func (w *wav) chunk(id string, c []byte) {
	le := binary.LittleEndian
	switch {
	case id == "fmt " && len(c) >= 16:
		w.format, w.channels, w.rate, w.bits = le.Uint16(c), le.Uint16(c[2:]), le.Uint32(c[4:]), le.Uint16(c[14:])
		if w.format == formatExt && len(c) >= 26 {
			w.format = le.Uint16(c[24:])
		}
	case id == "ds64" && len(c) >= 16:
		w.long = le.Uint64(c[8:])
	case id == "data" && w.data == nil:
		w.data = c
	}
}
