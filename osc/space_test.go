package osc

import (
	"math"
	"strings"
	"testing"
)

func testSpace(t testing.TB) *Space {
	t.Helper()
	s, err := NewSpace([]Entry{
		{Address: "/mod/filter1/cutoff", Kind: Number, Min: 10, Max: 20000, Unit: "Hz"},
		{Address: "/mod/filter1/mode", Kind: Name, Names: []string{"lp", "hp", "bp"}},
		{Address: "/gate/adsr1", Kind: Gate},
		{Address: "/engine/status", Kind: Query},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestResolve(t *testing.T) {
	s := testSpace(t)
	for _, tt := range []struct {
		address string
		args    []any
		entry   int
		value   float64
		err     string
	}{
		{"/mod/filter1/cutoff", []any{int32(440)}, 0, 440, ""},
		{"/mod/filter1/cutoff", []any{float32(440.5)}, 0, 440.5, ""},
		{"/mod/filter1/cutoff", []any{440.25}, 0, 440.25, ""},
		{"/mod/filter1/cutoff", []any{int64(440)}, 0, 440, ""},
		{"/mod/filter1/cutoff", []any{5.0}, 0, 0, "5 is not a number from 10 to 20000 Hz"},
		{"/mod/filter1/cutoff", []any{math.NaN()}, 0, 0, "NaN is not a number from"},
		{"/mod/filter1/cutoff", []any{float32(math.Inf(1))}, 0, 0, "+Inf is not a number from"},
		{"/mod/filter1/cutoff", []any{"high"}, 0, 0, `"high" is not a number from`},
		{"/mod/filter1/cutoff", []any{true}, 0, 0, "true is not a number from"},
		{"/mod/filter1/cutoff", nil, 0, 0, "it takes one argument, a number from 10 to 20000 Hz, not 0"},
		{"/mod/filter1/cutoff", []any{int32(1), int32(2)}, 0, 0, "not 2"},
		{"/mod/filter1/mode", []any{"hp"}, 1, 1, ""},
		{"/mod/filter1/mode", []any{float32(2)}, 1, 2, ""},
		{"/mod/filter1/mode", []any{float32(0.5)}, 1, 0, "0.5 is not lp, hp, bp"},
		{"/mod/filter1/mode", []any{int32(3)}, 1, 0, "3 is not lp, hp, bp"},
		{"/mod/filter1/mode", []any{"notch"}, 1, 0, `"notch" is not lp, hp, bp`},
		{"/gate/adsr1", []any{"on"}, 2, 1, ""},
		{"/gate/adsr1", []any{"off"}, 2, 0, ""},
		{"/gate/adsr1", []any{true}, 2, 1, ""},
		{"/gate/adsr1", []any{false}, 2, 0, ""},
		{"/gate/adsr1", []any{int32(0)}, 2, 0, ""},
		{"/gate/adsr1", []any{float32(0.7)}, 2, float64(float32(0.7)), ""},
		{"/gate/adsr1", []any{int32(-1)}, 2, 0, ""},
		{"/gate/adsr1", []any{"yes"}, 2, 0, `"yes" is not a number, true, false, on or off`},
		{"/gate/adsr1", []any{math.NaN()}, 2, 0, "NaN is not"},
		{"/gate/adsr1", []any{[]byte{1}}, 2, 0, "an argument of type b is not"},
		{"/engine/status", nil, 3, 0, ""},
		{"/engine/status", []any{int32(1)}, 3, 0, "it takes no argument, not 1"},
		{"/mod/filter1/cutof", []any{int32(1)}, 0, 0, "under /mod/filter1/ there are cutoff, mode"},
		{"/gate/x", []any{int32(1)}, 0, 0, "under /gate/ there are adsr1"},
		{"/foo", nil, 0, 0, "unknown; the nearest is /"},
		{"/mod/*/cutoff", []any{int32(1)}, 0, 0, "address patterns are not supported"},
	} {
		packet, err := Encode(tt.address, tt.args...)
		if err != nil {
			t.Fatal(err)
		}
		var d Decoder
		d.Decode(packet, func(m *Message) {
			entry, value, err := s.Resolve(m)
			switch {
			case tt.err == "" && (err != nil || entry != tt.entry || value != tt.value):
				t.Errorf("%s %v: %d, %g, %v", tt.address, tt.args, entry, value, err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("%s %v: %v, want %s", tt.address, tt.args, err, tt.err)
			}
		}, func(e *DecodeError) { t.Errorf("%s: %v", tt.address, e) })
	}
}

func TestNewSpaceRefuses(t *testing.T) {
	for _, e := range [][]Entry{{{Address: "a"}}, {{Address: "/a*"}}, {{Address: "/a"}, {Address: "/a"}}} {
		if _, err := NewSpace(e); err == nil {
			t.Errorf("%v", e)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		address string
		args    []any
	}{
		{"a", nil}, {"/", nil}, {"/a\x00b", nil}, {"/a", []any{"x\x00y"}}, {"/a", []any{struct{}{}}}, {"/a", []any{make([]byte, MaxPacket)}},
	} {
		if _, err := Encode(tt.address, tt.args...); err == nil {
			t.Errorf("%q %T", tt.address, tt.args)
		}
	}
}

func TestParseArg(t *testing.T) {
	for word, want := range map[string]any{
		"5": int32(5), "-5": int32(-5), "0.5": float32(0.5), "true": true, "false": false, "on": "on", "i:7": int32(7),
		"f:7": float32(7), "d:0.1": 0.1, "s:5": "5", "a:b": "a:b", "": "", "1e3": float32(1000), "99999999999": float32(99999999999),
	} {
		if got, err := ParseArg(word); err != nil || got != want {
			t.Errorf("%q: %v (%T), %v", word, got, got, err)
		}
	}
	for _, word := range []string{"i:x", "i:1.5", "f:x", "d:", "i:99999999999"} {
		if _, err := ParseArg(word); err == nil {
			t.Errorf("%q was taken", word)
		}
	}
}
