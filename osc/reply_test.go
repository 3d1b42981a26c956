package osc_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

func TestEncodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		address string
		args    []any
	}{
		{"a", nil}, {"/", nil}, {"/a\x00b", nil}, {"/a", []any{"x\x00y"}}, {"/a", []any{struct{}{}}}, {"/a", []any{make([]byte, osc.MaxPacket)}},
		{"/" + strings.Repeat("a", osc.MaxAddress), nil}, {"/a b", nil}, {"/a", []any{uint64(math.MaxInt64) + 1}}, {"/a", []any{"\x00/b"}}, {"/a", []any{nil}},
	} {
		if _, err := osc.Encode(tt.address, tt.args...); err == nil {
			t.Errorf("%q %T", tt.address, tt.args)
		}
	}
}

func TestParseArg(t *testing.T) {
	for word, want := range map[string]any{
		"5": int32(5), "-5": int32(-5), "0.5": float32(0.5), "true": true, "false": false, "on": "on", "i:7": int32(7),
		"inf": "inf", "nan": "nan", "+Infinity": "+Infinity", "1e39": 1e39, "16777217.5": 16777217.5, "0.1": float32(0.1),
		"0.123456789": 0.123456789, "2147483648": int64(1 << 31), "-2147483648": int32(math.MinInt32), "f:inf": float32(math.Inf(1)),
		"f:7": float32(7), "d:0.1": 0.1, "s:5": "5", "a:b": "a:b", "": "", "1e3": float32(1000), "99999999999": int64(99999999999),
	} {
		if got, err := osc.ParseArg(word); err != nil || got != want {
			t.Errorf("%q: %v (%T), %v", word, got, got, err)
		}
	}
	for _, word := range []string{"i:x", "i:1.5", "f:x", "d:", "i:99999999999", "f:1e39"} {
		if _, err := osc.ParseArg(word); err == nil {
			t.Errorf("%q was taken", word)
		}
	}
}

// Decode reads back what Encode makes.
func TestRoundTrip(t *testing.T) {
	var d osc.Decoder
	rapid.Check(t, func(t *rapid.T) {
		address := "/" + rapid.StringMatching(`[!-~]{1,254}`).Draw(t, "address")
		args := rapid.SliceOfN(rapid.OneOf(
			rapid.Int().AsAny(), rapid.Uint64Max(math.MaxInt64).AsAny(), rapid.Int32().AsAny(), rapid.Int64().AsAny(), rapid.Float32().AsAny(), rapid.Float64().AsAny(), rapid.Bool().AsAny(),
			rapid.StringMatching(`[^\x00]{0,20}`).AsAny(), rapid.SliceOfN(rapid.Byte(), 0, 20).AsAny(),
		), 0, 20).Draw(t, "args")
		packet, err := osc.Encode(address, args...)
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		d.Decode(packet, func(m *osc.Message) {
			count++
			if string(m.Address) != address || len(m.Args) != len(args) {
				t.Fatalf("%s, %d arguments", m.Address, len(m.Args))
			}
			for i, a := range m.Args {
				if !equal(a, args[i]) {
					t.Fatalf("%v came back as %v", args[i], a)
				}
			}
		}, func(e *osc.DecodeError) { t.Fatal(e) })
		if count != 1 {
			t.Fatalf("%d messages", count)
		}
	})
}

// A bundle is decoded to its packets; too large a bundle is an error.
func TestEncodeBundle(t *testing.T) {
	inner, err := osc.EncodeBundle(osc.Tag(2e9), osctest.Encode(t, "/c"))
	if err != nil {
		t.Fatal(err)
	}
	packet, err := osc.EncodeBundle(osc.Tag(1e9), osctest.Encode(t, "/a", 1), osctest.Encode(t, "/b"), inner)
	if err != nil {
		t.Fatal(err)
	}
	if got, wrong := osctest.Seen(packet); strings.Join(got, "|") != "/a 1|/b|/c" || len(wrong) > 0 {
		t.Errorf("%q, %v", got, wrong)
	}
	if _, err := osc.EncodeBundle(osc.Immediately, make([]byte, osc.MaxPacket-19)); err == nil {
		t.Error("too large a bundle")
	}
}

// equal reports whether a decoded argument is the encoded value, bit by bit.
func equal(a osc.Arg, v any) bool {
	switch v := v.(type) {
	case int:
		f, ok := a.Number()
		return ok && (a.Tag == 'i' && int(int32(a.Bits)) == v || a.Tag == 'h' && int(a.Bits) == v && f == float64(v))
	case uint64:
		return a.Tag == 'h' && a.Bits == v
	case int32:
		return a.Tag == 'i' && int32(a.Bits) == v
	case int64:
		return a.Tag == 'h' && int64(a.Bits) == v
	case float32:
		return a.Tag == 'f' && uint32(a.Bits) == math.Float32bits(v)
	case float64:
		return a.Tag == 'd' && a.Bits == math.Float64bits(v)
	case bool:
		return a.Tag == 'T' && v || a.Tag == 'F' && !v
	case string:
		return (a.Tag == 's' || a.Tag == 'S') && string(a.Bytes) == v
	case []byte:
		return a.Tag == 'b' && string(a.Bytes) == string(v)
	}
	return false
}

// A message prints as one bounded line.
func TestStringIsShort(t *testing.T) {
	many := make([]osc.Arg, osc.MaxArgs)
	for i := range many {
		many[i] = osc.Arg{Tag: 's', Bytes: []byte(strings.Repeat("\x1b\n", 60))}
	}
	for _, m := range []*osc.Message{message("/a", many...), message("/a", osc.Arg{Tag: 's', Bytes: make([]byte, 60000)}), message("/a", osc.Arg{Tag: 'b', Bytes: make([]byte, 60000)})} {
		if s := m.String(); len(s) > osc.MaxLine || strings.ContainsAny(s, "\n\x1b\x00") {
			t.Errorf("%d bytes: %.80q", len(s), s)
		}
	}
}
