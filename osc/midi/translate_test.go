package midi

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// bytesOf reads hexadecimal digits with spaces.
func bytesOf(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func show(r Request) string {
	s := r.Address
	for _, a := range r.Args {
		if f, ok := a.(float32); ok {
			a = fmt.Sprintf("%.4g", f)
		}
		s += fmt.Sprint(" ", a)
	}
	return s
}

// played returns the requests of bytes, one a line.
func played(t testing.TB, opts Options, m Map, a *Addresses, b []byte) (lines []string) {
	t.Helper()
	tr := NewTranslator(opts, func(r Request) { lines = append(lines, show(r)) })
	if wrong := tr.Bind(m, a); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	tr.Bytes(b, time.Unix(0, 0))
	return lines
}

func testAddresses(t testing.TB) *Addresses {
	t.Helper()
	a, err := NewAddresses([]osc.Entry{
		{Address: "/mod/filter1/cutoff", Kind: osc.Number, Min: 20, Max: 20000, Unit: "Hz"},
		{Address: "/mod/filter1/q", Kind: osc.Number, Min: 0.5, Max: 20},
		{Address: "/mod/filter1/mode", Kind: osc.Name, Names: []string{"lp", "hp", "bp"}},
		{Address: "/seq/low/pattern", Kind: osc.Number, Min: -1, Max: 127, Whole: true},
		{Address: "/gate/adsr1", Kind: osc.Gate},
		{Address: "/note/bass/on", Kind: osc.Key, Max: 1},
		{Address: "/note/bass/off", Kind: osc.Key, All: true},
		{Address: "/note/keys/on", Kind: osc.Key, Max: 1},
		{Address: "/engine/bend", Kind: osc.Number, Min: -24, Max: 24},
		{Address: "/engine/status", Kind: osc.Query},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Requests of bytes for an engine with unknown addresses.
func TestBytes(t *testing.T) {
	for _, tt := range []struct{ name, bytes, want string }{
		{"note", "90 3C 7F 80 3C 00", "/note/on 60 1|/note/off 60"},
		{"velocity", "90 3C 40", "/note/on 60 0.5039"},
		{"velocity 0 ends", "90 3C 01 90 3C 00", "/note/on 60 0.007874|/note/off 60"},
		{"off with velocity", "80 3C 40", "/note/off 60"},
		{"running status", "90 3C 7F 40 7F 3C 00", "/note/on 60 1|/note/on 64 1|/note/off 60"},
		{"real time inside", "90 F8 3C FE 7F", "/note/on 60 1"},
		{"sysex between", "F0 7E 01 02 F7 90 3C 7F", "/note/on 60 1"},
		{"sysex ends running status", "90 3C 7F F0 01 F7 3C 00", "/note/on 60 1"},
		{"sysex cut off", "F0 01 02 03 90 3C 7F", "/note/on 60 1"},
		{"message cut off", "90 3C 91 3E 7F", "/note/on 62 1"},
		{"data alone", "3C 7F 90 3C 7F", "/note/on 60 1"},
		{"undefined", "F4 01 F5 F9 FD 90 3C 7F", "/note/on 60 1"},
		{"song position and select", "F2 01 02 F3 05 F6 F1 33 3C 7F", ""},
		{"poly pressure", "A0 3C 7F", "/note/pressure 60 1"},
		{"channel pressure", "D0 7F", "/engine/pressure 1"},
		{"bend", "E0 00 40 E0 00 00 E0 7F 7F", "/engine/bend 0|/engine/bend -2|/engine/bend 2"},
		{"bend half", "E0 00 60", "/engine/bend 1"},
		{"bend range", "B0 65 00 64 00 06 0C E0 00 00 B0 26 32 E0 00 00", "/engine/bend -12|/engine/bend -12.5"},
		{"bend range of another channel", "B1 65 00 64 00 06 0C E0 00 00", "/engine/bend -2"},
		{"bend range after null", "B0 65 00 64 00 65 7F 64 7F 06 0C E0 00 00", "/engine/bend -2"},
		{"bend range after NRPN", "B0 65 00 64 00 63 00 06 0C E0 00 00", "/engine/bend -2"},
		{"bend range bounded", "B0 65 00 64 00 06 60 E0 00 00", "/engine/bend -24"},
		{"wheel", "B0 01 7F", "/engine/wheel 1"},
		{"pedal", "B0 40 7F 40 60 40 3F 40 00", "/engine/sustain 1|/engine/sustain 0"},
		{"volume means nothing", "B0 07 64", ""},
		{"program means nothing", "C0 05", ""},
		{"all notes off", "90 3C 7F 40 7F 91 45 7F B0 7B 00", "/note/on 60 1|/note/on 64 1|/note/on 69 1|/note/off 60|/note/off 64"},
		{"sound off", "90 3C 7F B0 78 00", "/note/on 60 1|/note/off 60"},
		{"local control", "90 3C 7F B0 7A 00", "/note/on 60 1"},
		{"reset", "B0 79 00", "/engine/bend 0|/engine/pressure 0|/engine/sustain 0|/engine/wheel 0"},
		{"transport", "FA FC FB", "/seq/play start|/seq/play stop|/seq/play continue"},
		{"start waits for the tick", "F8 FA F8 F8", "/seq/play start"},
		{"stop before the tick", "F8 FA FC F8", "/seq/play stop"},
	} {
		want := tt.want
		if got := strings.Join(played(t, Options{Clock: true}, Map{}, nil, bytesOf(t, tt.bytes)), "|"); got != want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, want)
		}
	}
}

// Equal bytes make equal requests, wherever they are cut.
func TestCutAnywhere(t *testing.T) {
	b := bytesOf(t, "90 3C 7F F8 40 7F F0 01 02 F7 B0 01 40 E0 00 60 A0 3C F8 10 C0 05 91 3C 92 3C 7F")
	want := played(t, Options{}, Map{}, nil, b)
	if len(want) != 6 {
		t.Fatalf("%q", want)
	}
	for cut := range b {
		var got []string
		tr := NewTranslator(Options{}, func(r Request) { got = append(got, show(r)) })
		tr.Bytes(b[:cut], time.Unix(0, 0))
		tr.Bytes(b[cut:], time.Unix(1, 0))
		if !slices.Equal(got, want) {
			t.Errorf("cut at %d: %q, want %q", cut, got, want)
		}
	}
}

// Channels, groups and maps.
func TestOptions(t *testing.T) {
	a := testAddresses(t)
	parse := func(text string) Map {
		m, err := ParseMap("test", []byte("version: 1\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, tt := range []struct {
		name  string
		opts  Options
		m     Map
		a     *Addresses
		bytes string
		want  string
	}{
		{"one channel", Options{Channel: 2}, Map{}, nil, "90 3C 7F 91 3D 7F", "/note/on 61 1"},
		{"group", Options{Group: "bass"}, Map{}, nil, "90 3C 7F A0 3C 00 80 3C 00", "/note/bass/on 60 1|/note/bass/pressure 60 0|/note/bass/off 60"},
		{"the group without an id", Options{Group: "note"}, Map{}, a, "90 3C 7F", "/note/on 60 1"},
		{"groups by channel", Options{}, Map{}, a, "90 3C 7F 91 3C 7F 9F 3C 7F", "/note/bass/on 60 1|/note/keys/on 60 1|/note/keys/on 60 1"},
		{"no sequencer, no clock", Options{Clock: true}, Map{}, a, "FA FC", ""},
		{"clock not followed", Options{}, Map{}, nil, "FA FC", ""},
		{"Hz by ratios", Options{}, parse("controllers: [{controller: 74, address: /mod/filter1/cutoff}]"), a, "B0 4A 00 4A 40 4A 7F",
			"/mod/filter1/cutoff 20|/mod/filter1/cutoff 649.9|/mod/filter1/cutoff 2e+04"},
		{"Hz by steps", Options{}, parse("controllers: [{controller: 74, address: /mod/filter1/cutoff, curve: lin}]"), a, "B0 4A 00 4A 7F",
			"/mod/filter1/cutoff 20|/mod/filter1/cutoff 2e+04"},
		{"backwards", Options{}, parse("controllers: [{controller: 74, address: /mod/filter1/q, min: 20, max: 1}]"), a, "B0 4A 00 4A 7F",
			"/mod/filter1/q 20|/mod/filter1/q 1"},
		{"exp", Options{}, parse("controllers: [{controller: 74, address: /x, min: 1, max: 16, curve: exp}]"), nil, "B0 4A 00 4A 7F", "/x 1|/x 16"},
		{"names", Options{}, parse("controllers: [{controller: 20, address: /mod/filter1/mode}]"), a, "B0 14 00 14 10 14 40 14 7F",
			"/mod/filter1/mode 0|/mod/filter1/mode 1|/mod/filter1/mode 2"},
		{"whole", Options{}, parse("controllers: [{controller: 20, address: /seq/low/pattern, min: 0, max: 3}]"), a, "B0 14 00 14 01 14 7F",
			"/seq/low/pattern 0|/seq/low/pattern 3"},
		{"gate", Options{}, parse("controllers: [{controller: 20, address: /gate/adsr1}]"), a, "B0 14 7F 14 50 14 00", "/gate/adsr1 1|/gate/adsr1 0"},
		{"channel of a binding", Options{}, parse("controllers: [{channel: 3, controller: 1, address: /x, min: 0, max: 1}]"), nil, "B0 01 7F B2 01 7F",
			"/engine/wheel 1|/x 1"},
		{"two of one", Options{}, parse("controllers: [{controller: 1, address: /x, min: 0, max: 1}, {controller: 1, address: /y, min: 0, max: 2}]"), nil, "B0 01 7F", "/x 1|/y 2"},
		{"bend", Options{}, parse("bend: 12"), nil, "E0 00 00", "/engine/bend -12"},
		{"programs", Options{}, parse("programs: [{program: 5, address: /seq/low/pattern, value: 3}, {channel: 2, program: 5, address: /seq/play, value: start}, {program: 5, address: /note/off}]"), a,
			"C0 05 C1 05 C1 06", "/seq/low/pattern 3|/note/off|/seq/low/pattern 3|/seq/play start|/note/off"},
	} {
		if got := strings.Join(played(t, tt.opts, tt.m, tt.a, bytesOf(t, tt.bytes)), "|"); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// Release ends everything that a lost device holds.
func TestRelease(t *testing.T) {
	var got []string
	tr := NewTranslator(Options{Clock: true}, func(r Request) { got = append(got, show(r)) })
	tr.Bytes(bytesOf(t, "93 45 7F 90 40 7F 3C 7F 3C 00 E0 00 00 D0 40 B0 40 7F F8 FA 90"), time.Unix(0, 0))
	got = nil
	tr.Release()
	want := []string{"/note/off 64", "/note/off 69", "/engine/bend 0", "/engine/pressure 0", "/engine/sustain 0"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	got = nil
	tr.Release()
	tr.Bytes(bytesOf(t, "3C 7F F8"), time.Unix(0, 1)) // neither the running status nor the waiting start is of this device
	if len(got) != 0 {
		t.Errorf("after that: %q", got)
	}
}

// A note ends in the group in which it began, after a change of the patch too.
func TestRegrouped(t *testing.T) {
	var got []string
	tr := NewTranslator(Options{}, func(r Request) { got = append(got, show(r)) })
	tr.Bytes(bytesOf(t, "90 3C 7F 3E 7F"), time.Unix(0, 0))
	tr.Bind(Map{}, testAddresses(t))
	tr.Bytes(bytesOf(t, "3C 00 3E 7F 3E 00"), time.Unix(0, 0))
	want := []string{"/note/on 60 1", "/note/on 62 1", "/note/off 60", "/note/off 62", "/note/bass/on 62 1", "/note/bass/off 62"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The last dense request of each lane is sent, at most MaxRate times a second. Every note is sent.
func TestThin(t *testing.T) {
	var th rateThinner
	now := time.Unix(100, 0)
	var sent []Request
	send := func(r Request) { sent = append(sent, r) }
	tr := NewTranslator(Options{}, func(r Request) { th.submit(r, now, send) })
	const n = 10_000
	for i := range n {
		b := []byte{0xB0, 1, byte(i % 128), 0xE0, 0, byte(i * 7 % 128), 0xA0, byte(i % 2), byte(i % 128), 0x90, 60, 100}
		tr.Bytes(b, now)
		now = now.Add(100 * time.Microsecond)
		th.sendDue(now, send)
	}
	now = now.Add(time.Second)
	th.sendDue(now, send)
	count := map[string]int{}
	last := map[string]Request{}
	for _, r := range sent {
		count[r.lane()]++
		last[r.lane()] = r
	}
	if count["/note/on 60"] != n {
		t.Errorf("%d notes of %d", count["/note/on 60"], n)
	}
	for lane, value := range map[string]string{
		"/engine/wheel": fmt.Sprintf("/engine/wheel %.4g", float32((n-1)%128)/127), "/note/pressure 0": fmt.Sprintf("/note/pressure 0 %.4g", float32((n-2)%128)/127),
		"/note/pressure 1": fmt.Sprintf("/note/pressure 1 %.4g", float32((n-1)%128)/127), "/engine/bend": "",
	} {
		if c := count[lane]; c < MaxRate-1 || c > MaxRate+2 { // in one second, and the last
			t.Errorf("%s: %d in a second", lane, c)
		}
		if value != "" && show(last[lane]) != value {
			t.Errorf("the last is %s, want %s", show(last[lane]), value)
		}
	}
	if len(th.waiting) != 0 {
		t.Errorf("%d wait", len(th.waiting))
	}
	// A request that is not dense replaces the one that waits.
	th.submit(Request{"/engine/bend", []any{float32(1)}, true}, now, send)
	th.submit(Request{"/engine/bend", []any{float32(2)}, true}, now, send)
	th.submit(Request{"/engine/bend", []any{float32(0)}, false}, now, send)
	th.sendDue(now.Add(time.Hour), send)
	if got := show(sent[len(sent)-1]); got != "/engine/bend 0" {
		t.Errorf("the last is %s", got)
	}
}
