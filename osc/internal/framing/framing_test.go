package framing

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// cut splits a stream that arrives in pieces of the given sizes; the last size repeats.
func cut(t testing.TB, stream []byte, sizes ...int) (packets [][]byte, err error) {
	t.Helper()
	var u Unframer
	for i := 0; ; i++ {
		for {
			p, err := u.Next()
			if err != nil {
				return packets, err
			}
			if p == nil {
				break
			}
			packets = append(packets, bytes.Clone(p))
		}
		if len(stream) == 0 {
			return packets, nil
		}
		space := u.Space()
		if len(space) < 1024 || cap(u.buf) > 3*osc.MaxStream {
			t.Fatalf("room for %d, of %d", len(space), cap(u.buf))
		}
		n := copy(space[:min(len(space), sizes[min(i, len(sizes)-1)])], stream)
		u.Advance(n)
		stream = stream[n:]
	}
}

// Framed packets come out unchanged, in either framing, however the bytes are cut.
func TestFramings(t *testing.T) {
	packets := [][]byte{
		[]byte(osctest.Pad("/a")), bytes.Repeat([]byte{slipEnd, slipEsc, slipEscEnd, slipEscEsc}, 300), []byte(osctest.Bundle(osctest.Pad("/b"), osctest.Pad("/c"))),
		bytes.Repeat([]byte("x"), 5000), {slipEsc}, {slipEnd}, []byte(osctest.Pad("/d")), bytes.Repeat([]byte{0}, osc.MaxStream), []byte(osctest.Pad("/e")),
	}
	for _, kind := range []Kind{Counted, SLIP} {
		var stream []byte
		for _, p := range packets {
			stream = Append(stream, kind, p)
		}
		for _, size := range []int{1 << 20, 4096, 1000, 7, 3} {
			got, err := cut(t, stream, size)
			if err != nil || !slices.EqualFunc(got, packets, bytes.Equal) {
				t.Errorf("framing %d in pieces of %d: %d packets, %v", kind, size, len(got), err)
			}
		}
	}
}

func TestUnframe(t *testing.T) {
	for _, tt := range []struct {
		name, stream, want string
		err                error
	}{
		{"a size", "\x00\x00\x00\x04/abc", "/abc", nil},
		{"no bytes", "\x00\x00\x00\x00\x00\x00\x00\x04/abc", "|/abc", nil},
		{"not whole", "\x00\x00\x00\x05/abc", "", nil},
		{"size too large", "\x00\x10\x00\x01", "", ErrTooLong},
		{"negative size later", "\x00\x00\x00\x01/\xff\xff\xff\xff", "/", ErrTooLong},
		{"END around", "\xc0/abc\xc0\xc0/def\xc0", "/abc|/def", nil},
		{"END between", "\xc0/abc\xc0/def\xc0", "/abc|/def", nil},
		{"END behind only", "/abc\xc0#def\xc0", "/abc|#def", nil},
		{"many ENDs", "\xc0\xc0\xc0/abc\xc0\xc0\xc0", "/abc", nil},
		{"escapes", "\xc0\xdb\xdc\xdb\xdd\xc0", "\xc0\xdb", nil},
		{"a bad escape", "\xc0/\xdba\xc0", "/a", nil},
		{"an escape before END", "\xc0/a\xdb\xc0/b\xc0", "/a|/b", nil},
		{"not whole, SLIP", "\xc0/abc", "", nil},
		{"too long, SLIP", "\xc0" + strings.Repeat("a", osc.MaxStream+1), "", ErrTooLong},
		{"no framing", "hello", "", ErrUnknown},
		{"a large size first", "\x01\x00\x00\x00", "", ErrUnknown},
	} {
		packets, err := cut(t, []byte(tt.stream), 5)
		if got := string(bytes.Join(packets, []byte("|"))); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %q, %v, want %q, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

// Partial is true exactly while a packet has begun and not ended: only then a timeout runs.
func TestPartial(t *testing.T) {
	for _, kind := range []Kind{Counted, SLIP} {
		stream := Append(Append(nil, kind, []byte(osctest.Pad("/abc"))), kind, []byte(osctest.Pad("/d")))
		var u Unframer
		whole := 0
		for i, b := range stream {
			u.Space()[0] = b
			u.Advance(1)
			p, err := u.Next()
			if err != nil {
				t.Fatal(err)
			}
			if p != nil {
				whole++
			}
			between := p != nil || kind == SLIP && b == slipEnd
			if u.Partial() == between {
				t.Errorf("framing %d, after byte %d, packet %q: partial is %t", kind, i, p, u.Partial())
			}
		}
		if whole != 2 {
			t.Errorf("framing %d: %d packets", kind, whole)
		}
	}
}

// The cuts of a stream do not change its packets, buffers are bounded, and framed packets come out
// again.
func FuzzUnframe(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x04/abc\x00\x00\x00\x08/abc,\x00\x00\x00"), uint64(1))
	f.Add([]byte("\xc0/abc\xdb\xdc\xc0\xc0/def\xdb\xdd\xdb\xc0"), uint64(2))
	f.Add([]byte("/abc\xc0"), uint64(3))
	f.Add([]byte("#bundle\x00"), uint64(4))
	f.Add([]byte("\x00\x10\x00\x01"), uint64(5))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		whole, errWhole := cut(t, stream, 1<<20)
		rng := rand.New(rand.NewPCG(seed, 0))
		var sizes []int
		for range 64 {
			sizes = append(sizes, 1+rng.IntN(9))
		}
		pieces, errPieces := cut(t, stream, sizes...)
		if !slices.EqualFunc(whole, pieces, bytes.Equal) || errWhole != errPieces {
			t.Fatalf("%q, %v at once; %q, %v in pieces", whole, errWhole, pieces, errPieces)
		}
		for _, kind := range []Kind{Counted, SLIP} {
			var again []byte
			var want [][]byte
			for _, p := range whole {
				if len(p) > 0 || kind == Counted {
					again, want = Append(again, kind, p), append(want, p)
				}
			}
			if got, err := cut(t, again, 3); err != nil || !slices.EqualFunc(got, want, bytes.Equal) {
				t.Fatalf("framing %d: %q, %v", kind, got, err)
			}
		}
	})
}
