package osc_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// resolving passes a message through Encode and Decode.
func resolving(t *testing.T, address string, args []any, visit func(*osc.Message)) {
	t.Helper()
	packet, err := osc.Encode(address, args...)
	if err != nil {
		t.Fatal(err)
	}
	var d osc.Decoder
	d.Decode(packet, visit, func(e *osc.DecodeError) { t.Errorf("%s: %v", address, e) })
}

func TestResolve(t *testing.T) {
	s := osctest.Space(t)
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
		{"/mod/filter1/cutoff", nil, 0, 0, "want one argument, a number from 10 to 20000 Hz; got 0"},
		{"/mod/filter1/cutoff", []any{int32(1), int32(2)}, 0, 0, "got 2"},
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
		{"/gate/adsr1", []any{"OFF"}, 2, 0, `"OFF" is not`},
		{"/gate/adsr1", []any{""}, 2, 0, `"" is not`},
		{"/gate/adsr1", []any{"\xc3\xa9\n\x1b"}, 2, 0, `"\u00e9\n\x1b" is not`},
		{"/gate/adsr1", []any{strings.Repeat("x", 41)}, 2, 0, strings.Repeat("x", 40) + `"... is not`},
		{"/gate/adsr1", []any{"yes"}, 2, 0, `"yes" is not a number, true, false, on or off`},
		{"/gate/adsr1", []any{math.NaN()}, 2, 0, "NaN is not"},
		{"/gate/adsr1", []any{[]byte{1}}, 2, 0, "an argument of type b is not"},
		{"/engine/status", nil, 3, 0, ""},
		{"/engine/status", []any{int32(1)}, 3, 0, "want no argument; got 1"},
		{"/mod/filter1/cutof", []any{int32(1)}, 0, 0, "under /mod/filter1/ there are cutoff, mode"},
		{"/gate/x", []any{int32(1)}, 0, 0, "under /gate/ there are adsr1"},
		{"/mod/filter1/cutof", nil, 0, 0, "the nearest is /mod/filter1/cutoff;"},
		{"/mod/filtr1/cutoff", nil, 0, 0, "unknown; the nearest is /mod/filter1/cutoff"},
		{"/enigne/status", nil, 0, 0, "unknown; the nearest is /engine/status"},
		{"/gate/adsr2", nil, 0, 0, "the nearest is /gate/adsr1;"},
		{"/foo", nil, 0, 0, "unknown; the nearest is /"},
		{"/mod/*/cutoff", []any{int32(1)}, 0, 0, "a pattern stands where one address must"},
		{"/mod/filter?/cutoff", nil, 0, 0, "a pattern stands where one address must"},
		{"/{a,b}", nil, 0, 0, "a pattern stands where one address must"},
		{"/mod/filter[12]/cutoff", nil, 0, 0, "a pattern stands where one address must"},
		{"/mod/filter1#cutoff", nil, 0, 0, "unknown; the nearest is /mod/filter1/cutoff"},
	} {
		resolving(t, tt.address, tt.args, func(m *osc.Message) {
			entry, value, err := s.Resolve(m)
			switch {
			case tt.err == "" && (err != nil || entry != tt.entry || value.Number != tt.value):
				t.Errorf("%s %v: %d, %g, %v", tt.address, tt.args, entry, value.Number, err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("%s %v: %v, want %s", tt.address, tt.args, err, tt.err)
			}
		})
	}
}

// A Key accepts a note's number and a second number. Where allowed, no argument stands for all
// notes.
func TestResolveKey(t *testing.T) {
	s, err := osc.NewSpace([]osc.Entry{{Address: "/note/on", Kind: osc.Key, Max: 1, Default: 0.8}, {Address: "/note/off", Kind: osc.Key, All: true}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		address string
		args    []any
		value   osc.Value
		err     string
	}{
		{"/note/on", []any{int32(60), float32(0.5)}, osc.Value{Number: 0.5, Key: 60}, ""},
		{"/note/on", []any{float32(127)}, osc.Value{Number: 0.8, Key: 127}, ""},
		{"/note/on", []any{int32(0), int32(0)}, osc.Value{}, ""},
		{"/note/off", []any{int32(60)}, osc.Value{Key: 60}, ""},
		{"/note/off", nil, osc.Value{Key: osc.AllKeys}, ""},
		{"/note/on", nil, osc.Value{}, "want a note from 0 to 127 and a number from 0 to 1; got 0 arguments"},
		{"/note/on", []any{int32(128)}, osc.Value{}, "128 is not a note"},
		{"/note/on", []any{float32(60.5)}, osc.Value{}, "60.5 is not a note"},
		{"/note/on", []any{int32(-1)}, osc.Value{}, "-1 is not a note"},
		{"/note/on", []any{"c4"}, osc.Value{}, `"c4" is not a note`},
		{"/note/on", []any{math.NaN()}, osc.Value{}, "NaN is not a note"},
		{"/note/on", []any{int32(60), int32(100)}, osc.Value{}, "100 is not a number from 0 to 1"},
		{"/note/on", []any{int32(60), "loud"}, osc.Value{}, `"loud" is not a number`},
		{"/note/off", []any{int32(60), int32(1)}, osc.Value{}, "or nothing for all notes; got 2 arguments"},
	} {
		resolving(t, tt.address, tt.args, func(m *osc.Message) {
			_, value, err := s.Resolve(m)
			if tt.err == "" && (err != nil || value.Number != tt.value.Number || value.Key != tt.value.Key) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("%s %v: %v, %v, want %v %s", tt.address, tt.args, value, err, tt.value, tt.err)
			}
		})
	}
}

// A List accepts Least to Most numbers in its range; a Text accepts a string.
func TestResolveList(t *testing.T) {
	s, err := osc.NewSpace([]osc.Entry{{Address: "/notes", Kind: osc.List, Min: -127, Max: 127, Whole: true, Least: 1, Most: 3}, {Address: "/steps", Kind: osc.Text, Most: 8}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		address string
		args    []any
		list    []float64
		text    string
		err     string
	}{
		{"/notes", []any{int32(60), float32(-3), 7.0}, []float64{60, -3, 7}, "", ""},
		{"/steps", []any{"X.x."}, nil, "X.x.", ""},
		{"/notes", nil, nil, "", "want 1 to 3 whole numbers from -127 to 127; got 0"},
		{"/notes", []any{int32(1), int32(1), int32(1), int32(1)}, nil, "", "got 4"},
		{"/notes", []any{int32(1), float32(1.5)}, nil, "", "argument 2 is 1.5: want 1 to 3 whole"},
		{"/notes", []any{"c"}, nil, "", `argument 1 is "c"`},
		{"/notes", []any{math.NaN()}, nil, "", "argument 1 is NaN"},
		{"/steps", []any{"X.x.X.x.X"}, nil, "", "want a string of at most 8 bytes"},
		{"/steps", []any{int32(1)}, nil, "", "want a string"},
		{"/steps", nil, nil, "", "want a string"},
	} {
		resolving(t, tt.address, tt.args, func(m *osc.Message) {
			_, value, err := s.Resolve(m)
			if tt.err == "" && (err != nil || !slices.Equal(value.List, tt.list) || value.Text != tt.text) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("%s %v: %+v, %v, want %v %q %s", tt.address, tt.args, value, err, tt.list, tt.text, tt.err)
			}
		})
	}
}

func TestNewSpaceRefuses(t *testing.T) {
	for want, entries := range map[string][]osc.Entry{
		"begin with /":                {{Address: "a", Kind: osc.Gate}},
		"printable":                   {{Address: "/a\x01", Kind: osc.Gate}},
		"at most 255":                 {{Address: "/" + strings.Repeat("a", 255), Kind: osc.Gate}},
		"'*'":                         {{Address: "/a*", Kind: osc.Gate}},
		"'#'":                         {{Address: "/a#1", Kind: osc.Gate}},
		"/a//b: empty part":           {{Address: "/a//b", Kind: osc.Gate}},
		"/a/: empty part":             {{Address: "/a/", Kind: osc.Gate}},
		"duplicate":                   {{Address: "/a", Kind: osc.Gate}, {Address: "/a", Kind: osc.Query}},
		"empty range 1 to 0":          {{Address: "/a", Min: 1}},
		"empty range NaN to 1":        {{Address: "/a", Min: math.NaN(), Max: 1}},
		"names []: want at least one": {{Address: "/a", Kind: osc.Name}},
		"no empty one":                {{Address: "/a", Kind: osc.Name, Names: []string{"x", ""}}},
		"unknown kind 9":              {{Address: "/a", Kind: 9}},
		"unknown kind -1 ":            {{Address: "/a", Kind: -1}},
	} {
		if _, err := osc.NewSpace(entries); err == nil || !strings.Contains(err.Error()+" ", want) {
			t.Errorf("%v: %v, want %s", entries, err, want)
		}
	}
}

// A space does not share the caller's slice.
func TestSpaceIsItsOwn(t *testing.T) {
	entries := []osc.Entry{{Address: "/a", Max: 1}}
	s, err := osc.NewSpace(entries)
	if err != nil {
		t.Fatal(err)
	}
	entries[0].Max = 5
	if _, _, err := s.Resolve(message("/a", number(2))); err == nil || s.Entries()[0].Max != 1 {
		t.Errorf("%v, %v", err, s.Entries())
	}
}

func TestEmptySpace(t *testing.T) {
	s, err := osc.NewSpace(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Resolve(message("/a")); err == nil || err.Error() != "unknown; no address is known" {
		t.Error(err)
	}
}

// A client of 32-bit floats reaches the exact limits of 64 bits. Values beyond them stay beyond.
func TestLimitsAsFloats(t *testing.T) {
	s, err := osc.NewSpace([]osc.Entry{{Address: "/a", Min: 0.0001, Max: 0.1}})
	if err != nil {
		t.Fatal(err)
	}
	below, above := math.Nextafter32(float32(0.0001), 0), math.Nextafter32(float32(0.1), 1)
	for v, want := range map[float32]float64{0.0001: 0.0001, 0.1: 0.1, 0.05: float64(float32(0.05)), below: 0, above: 0} {
		_, got, err := s.Resolve(message("/a", osc.Arg{Tag: 'f', Bits: uint64(math.Float32bits(v))}))
		if got.Number != want && err == nil || (err == nil) != (want != 0) {
			t.Errorf("%g: %g, %v, want %g", v, got.Number, err, want)
		}
	}
	if _, _, err := s.Resolve(message("/a", number(math.Nextafter(0.1, 1)))); err == nil {
		t.Error("a double above the limit was taken")
	}
}

// A reason is short, however long the addresses and the message are.
func TestReasonsAreShort(t *testing.T) {
	long := "/" + strings.Repeat("a", 100) + "/"
	entries := []osc.Entry{{Address: long + "names", Kind: osc.Name, Names: strings.Split(strings.Repeat("name ", 400)+"x", " ")}}
	for i := range 500 {
		entries = append(entries, osc.Entry{Address: long + strings.Repeat("b", 100+i/26) + string(rune('a'+i%26)), Kind: osc.Query})
	}
	s, err := osc.NewSpace(entries)
	if err != nil {
		t.Fatal(err)
	}
	text := osc.Arg{Tag: 's', Bytes: []byte(strings.Repeat("\xff", 60000))}
	for _, m := range []*osc.Message{message(long + "x"), message(long + "names"), message(long+"names", text), message(long+"names", number(-1))} {
		_, _, err := s.Resolve(m)
		if err == nil || len(err.Error()) != osc.MaxReason || !strings.HasSuffix(err.Error(), "...") {
			t.Errorf("%v", err)
		}
	}
}

func message(address string, args ...osc.Arg) *osc.Message {
	return &osc.Message{Address: []byte(address), Time: osc.Immediately, Args: args}
}

func number(v float64) osc.Arg { return osc.Arg{Tag: 'd', Bits: math.Float64bits(v)} }
