package sample_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/sample"
)

// room is more memory than any of these files needs.
const room = 1 << 20

// wave is a WAV file: the fields of its fmt chunk and the bytes of its data chunk.
type wave struct {
	format, channels, rate, bits int
	extensible                   bool
	data                         []byte
}

func (w wave) bytes() []byte {
	var f []byte
	tag := w.format
	if w.extensible {
		tag = sample.WAVExtensible
	}
	align := w.channels * w.bits / 8
	f = binary.LittleEndian.AppendUint16(f, uint16(tag))
	f = binary.LittleEndian.AppendUint16(f, uint16(w.channels))
	f = binary.LittleEndian.AppendUint32(f, uint32(w.rate))
	f = binary.LittleEndian.AppendUint32(f, uint32(w.rate*align))
	f = binary.LittleEndian.AppendUint16(f, uint16(align))
	f = binary.LittleEndian.AppendUint16(f, uint16(w.bits))
	if w.extensible {
		f = append(f, 22, 0, byte(w.bits), 0, 3, 0, 0, 0)
		f = binary.LittleEndian.AppendUint16(f, uint16(w.format))
		f = append(f, sample.WAVGUID...)
	}
	return riff(part("LIST", []byte("odd")), part("fmt ", f), part("data", w.data))
}

func part(name string, b []byte) []byte {
	p := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(b)))
	return append(append(p, b...), make([]byte, len(b)&1)...)
}

func riff(parts ...[]byte) []byte {
	return append([]byte("RIFF\x00\x00\x00\x00WAVE"), bytes.Join(parts, nil)...)
}

// The same three frames give the same sample in every format of WAV and FLAC, within the format's
// resolution.
func TestDecode(t *testing.T) {
	values := [][2]float64{{0, -0.5}, {0.25, 0.75}, {-1, 0.0078125}} // exact in all formats
	integers := func(bits int) (b []byte) {
		for _, f := range values {
			for _, v := range f {
				i := int64(v * math.Exp2(float64(bits-1)))
				if bits == 8 {
					i += 128
				}
				for k := range bits / 8 {
					b = append(b, byte(i>>(8*k)))
				}
			}
		}
		return b
	}
	var f32, f64 []byte
	for _, f := range values {
		for _, v := range f {
			f32 = binary.LittleEndian.AppendUint32(f32, math.Float32bits(float32(v)))
			f64 = binary.LittleEndian.AppendUint64(f64, math.Float64bits(v))
		}
	}
	for name, file := range map[string][]byte{
		"8": wave{1, 2, 8000, 8, false, integers(8)}.bytes(), "16": wave{1, 2, 8000, 16, false, integers(16)}.bytes(),
		"24": wave{1, 2, 8000, 24, false, integers(24)}.bytes(), "32": wave{1, 2, 8000, 32, false, integers(32)}.bytes(),
		"float": wave{3, 2, 8000, 32, false, f32}.bytes(), "double": wave{3, 2, 8000, 64, false, f64}.bytes(),
		"extensible 24": wave{1, 2, 8000, 24, true, integers(24)}.bytes(), "extensible float": wave{3, 2, 8000, 32, true, f32}.bytes(),
		"flac 16": flacOf(t, 16, 8000, values), "flac 24": flacOf(t, 24, 8000, values), "flac 8": flacOf(t, 8, 8000, values),
	} {
		s, err := sample.Decode(bytes.NewReader(file), room)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Rate() != 8000 || s.Frames() != 3 || len(s.Channels()) != 2 || s.Bytes() != 24 {
			t.Errorf("%s: %g Hz, %d frames, %d channels", name, s.Rate(), s.Frames(), len(s.Channels()))
		}
		for i, f := range values {
			for c, v := range f {
				if got := s.Channels()[c][i]; got != float32(v) {
					t.Errorf("%s: frame %d of channel %d is %g, want %g", name, i, c, got, v)
				}
			}
		}
	}
	// half a frame ends a file of unknown length
	open := wave{1, 1, 44100, 16, false, []byte{0, 64, 0, 32, 9}}.bytes()
	copy(open[bytes.Index(open, []byte("data"))+4:], "\xff\xff\xff\xff")
	if s, err := sample.Decode(bytes.NewReader(open), room); err != nil || s.Frames() < 2 || s.Channels()[0][1] != 0.25 {
		t.Errorf("a file of unknown length: %v", err)
	}
}

func flacOf(t testing.TB, bits, rate int, values [][2]float64) []byte {
	t.Helper()
	f := &frame.Frame{Header: frame.Header{BlockSize: uint16(len(values)), SampleRate: uint32(rate), Channels: frame.ChannelsLR, BitsPerSample: uint8(bits)}}
	for c := range 2 {
		sub := &frame.Subframe{SubHeader: frame.SubHeader{Pred: frame.PredVerbatim}, NSamples: len(values)}
		for _, v := range values {
			sub.Samples = append(sub.Samples, int32(v[c]*math.Exp2(float64(bits-1))))
		}
		f.Subframes = append(f.Subframes, sub)
	}
	var b bytes.Buffer
	info := &meta.StreamInfo{BlockSizeMin: 16, BlockSizeMax: 4096, SampleRate: uint32(rate), NChannels: 2, BitsPerSample: uint8(bits), NSamples: uint64(len(values))}
	enc, err := flac.NewEncoder(&b, info)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(enc.WriteFrame(f), enc.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Decode rejects invalid and incomplete files and names the reason.
func TestDecodeRefuses(t *testing.T) {
	good := wave{1, 2, 48000, 16, false, make([]byte, 400)}
	but := func(change func(w *wave)) []byte {
		w := good
		change(&w)
		return w.bytes()
	}
	whole := flacOf(t, 16, 48000, make([][2]float64, 100))
	var nan []byte
	nan = binary.LittleEndian.AppendUint32(nan, math.Float32bits(float32(math.NaN())))
	for _, tt := range []struct {
		file []byte
		most int
		want string
	}{
		{nil, room, `neither a WAV nor a FLAC file: begins with ""`},
		{[]byte("ID3\x04mp3"), room, `begins with "ID3\x04"`},
		{[]byte("RIFF"), room, "cut off in the RIFF header"},
		{[]byte("RIFF\x00\x00\x00\x00AVI "), room, `of type "AVI "`},
		{riff(), room, "cut off in a chunk header"},
		{riff(part("data", make([]byte, 8))), room, "the data chunk precedes the fmt chunk"},
		{riff(part("fmt ", make([]byte, 8))), room, "fmt chunk of 8 bytes"},
		{riff(part("fmt ", make([]byte, 8)))[:21], room, "fmt chunk of 8 bytes"},
		{riff([]byte("LIST\xff\xff\x00\x00abc")), room, `cut off in the chunk "LIST"`},
		{but(func(w *wave) { w.channels = 6; w.data = make([]byte, 120) }), room, "6 channels; must be 1 or 2"},
		{but(func(w *wave) { w.rate = 0 }), room, "sample rate of 0 Hz; must be 1000 to 768000 Hz"},
		{but(func(w *wave) { w.bits = 12 }), room, "format 1 with 12 bits"},
		{but(func(w *wave) { w.format = 2 }), room, "format 2 with 16 bits"},
		{but(func(w *wave) { w.data = make([]byte, 401) }), room, "must be a multiple of the frame size, 4"},
		{but(func(w *wave) { w.data = nil }), room, "no audio: the file has 0 frames"},
		{good.bytes()[:100], room, "cut off: 11 of 100 frames are there"},
		{good.bytes(), 400, "too long: 100 frames of 2 channels"},
		{wave{3, 1, 48000, 32, false, nan}.bytes(), room, "frame 0: value NaN"},
		{bytes.Replace(wave{1, 2, 48000, 16, true, make([]byte, 40)}.bytes(), []byte{0x9b, 0x71}, []byte{0, 0}, 1), room, "the extensible format is neither PCM nor float"},
		{whole[:20], room, "damaged FLAC"},
		{whole[:len(whole)-3], room, "damaged FLAC"},
		{whole, 100, "too long"},
	} {
		_, err := sample.Decode(bytes.NewReader(tt.file), tt.most)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q: %v; want %s", tt.file, err, tt.want)
		}
	}
	if _, err := sample.Decode(bytes.NewReader(whole), 100); !errors.Is(err, sample.ErrTooLong) {
		t.Errorf("not ErrTooLong: %v", err)
	}
	broken := errors.New("broken")
	if _, err := sample.Decode(io.MultiReader(bytes.NewReader(good.bytes()[:200]), failing{broken}), room); !errors.Is(err, broken) {
		t.Errorf("the reader's error is lost: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// checkDecoded checks what holds for every decoded sample.
func checkDecoded(t *testing.T, s *dsp.Sample) {
	t.Helper()
	if s.Bytes() > room || s.Frames() == 0 || s.Rate() < sample.MinRate || s.Rate() > sample.MaxRate {
		t.Errorf("%d bytes, %d frames, %g Hz", s.Bytes(), s.Frames(), s.Rate())
	}
	for _, x := range s.Channels() {
		if len(x) != s.Frames() {
			t.Errorf("channels of %d and %d frames", len(x), s.Frames())
		}
		for _, v := range x {
			if !(v <= sample.Loudest && v >= -sample.Loudest) {
				t.Fatalf("a sample is %g", v)
			}
		}
	}
}

// Decode does not panic on any bytes. The same bytes give the same valid sample.
func FuzzDecodeWAV(f *testing.F) {
	for _, w := range []wave{{1, 1, 8000, 8, false, []byte("abcd")}, {1, 2, 44100, 24, true, make([]byte, 12)}, {3, 1, 48000, 64, false, make([]byte, 16)}} {
		f.Add(w.bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := sample.Decode(bytes.NewReader(b), room)
		if err != nil {
			return
		}
		checkDecoded(t, s)
		again, err := sample.Decode(bytes.NewReader(b), room)
		if err != nil || again.Frames() != s.Frames() {
			t.Errorf("the second time %d frames, not %d: %v", again.Frames(), s.Frames(), err)
		}
	})
}

// Decode does not panic on any bytes, and returns valid samples only.
func FuzzDecodeFLAC(f *testing.F) {
	f.Add(flacOf(f, 16, 48000, [][2]float64{{0, 0.5}, {0.25, -1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := sample.Decode(io.MultiReader(strings.NewReader("fLaC"), bytes.NewReader(b)), room); err == nil {
			checkDecoded(t, s)
		}
		if s, err := sample.Decode(bytes.NewReader(b), room); err == nil {
			checkDecoded(t, s)
		}
	})
}
