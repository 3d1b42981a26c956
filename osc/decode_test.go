package osc_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	goosc "github.com/hypebeast/go-osc/osc"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

func TestDecode(t *testing.T) {
	msg := osctest.Pad("/a") + osctest.Pad(",i") + osctest.Be32(5)
	for _, tt := range []struct{ name, packet, want string }{
		{"int", msg, "/a 5"},
		{"no type tags", osctest.Pad("/abc"), "/abc"},
		{"no arguments", osctest.Pad("/abc") + osctest.Pad(","), "/abc"},
		{"float", osctest.Pad("/a") + osctest.Pad(",f") + osctest.Be32(math.Float32bits(0.1)), "/a 0.1"},
		{"double", osctest.Pad("/a") + osctest.Pad(",d") + osctest.Be64(math.Float64bits(0.1)), "/a 0.1"},
		{"long", osctest.Pad("/a") + osctest.Pad(",h") + osctest.Be64(1<<40), "/a 1099511627776"},
		{"negative", osctest.Pad("/a") + osctest.Pad(",i") + osctest.Be32(0xffffffff), "/a -1"},
		{"string", osctest.Pad("/a") + osctest.Pad(",s") + osctest.Pad("on"), `/a "on"`},
		{"symbol", osctest.Pad("/a") + osctest.Pad(",S") + osctest.Pad("four"), `/a "four"`},
		{"flags", osctest.Pad("/a") + osctest.Pad(",TFNI"), "/a true false an argument of type N an argument of type I"},
		{"empty blob", osctest.Pad("/a") + osctest.Pad(",b") + osctest.Be32(0), "/a <0 bytes>"},
		{"blob", osctest.Pad("/a") + osctest.Pad(",bi") + osctest.Be32(5) + "12345\x00\x00\x00" + osctest.Be32(7), "/a <5 bytes> 7"},
		{"char, colour, midi", osctest.Pad("/a") + osctest.Pad(",crm") + osctest.Be32('x') + osctest.Be32(1) + osctest.Be32(2), "/a an argument of type c an argument of type r an argument of type m"},
		{"time tag", osctest.Pad("/a") + osctest.Pad(",t") + osctest.Be64(1), "/a an argument of type t"},
		{"arrays", osctest.Pad("/a") + osctest.Pad(",[i[i]]i") + osctest.Be32(1) + osctest.Be32(2) + osctest.Be32(3), "/a 1 2 3"},
		{"bundle", osctest.Bundle(msg, osctest.Pad("/b")), "/a 5|/b"},
		{"nested, in order", osctest.Bundle(osctest.Pad("/a"), osctest.Bundle(osctest.Pad("/b"), osctest.Pad("/c")), osctest.Pad("/d")), "/a|/b|/c|/d"},
		{"empty bundle", osctest.Bundle(), ""},
	} {
		got, wrong := osctest.Seen([]byte(tt.packet))
		if strings.Join(got, "|") != tt.want || len(wrong) > 0 {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, wrong, tt.want)
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	deep := osctest.Pad("/a")
	for range osc.MaxDepth + 1 {
		deep = osctest.Bundle(deep)
	}
	var wide []string
	for range osc.MaxElements + 1 {
		wide = append(wide, osctest.Pad("/a"))
	}
	for _, tt := range []struct {
		name, packet string
		want         osc.Fault
		at           int
	}{
		{"empty", "", osc.FaultSize, 0},
		{"one byte", "/", osc.FaultSize, 0},
		{"not a multiple of four", osctest.Pad("/a") + "x", osc.FaultSize, 0},
		{"too long", "/a" + strings.Repeat("\x00", osc.MaxPacket), osc.FaultSize, 0},
		{"no end of the address", "/abc", osc.FaultString, 0},
		{"no slash", osctest.Pad("abc") + osctest.Pad(",i") + osctest.Be32(1), osc.FaultAddress, 0},
		{"slash alone", osctest.Pad("/") + osctest.Pad(","), osc.FaultAddress, 0},
		{"not ASCII", osctest.Pad("/\x88\x30"), osc.FaultAddress, 0},
		{"a space", osctest.Pad("/a b"), osc.FaultAddress, 0},
		{"address too long", osctest.Pad("/" + strings.Repeat("a", osc.MaxAddress)), osc.FaultAddress, 0},
		{"no comma", osctest.Pad("/a") + osctest.Pad("i") + osctest.Be32(1), osc.FaultTag, 4},
		{"unknown tag", osctest.Pad("/a") + osctest.Pad(",x"), osc.FaultTag, 5},
		{"bracket open", osctest.Pad("/a") + osctest.Pad(",[i") + osctest.Be32(1), osc.FaultTag, 7},
		{"bracket close", osctest.Pad("/a") + osctest.Pad(",]"), osc.FaultTag, 5},
		{"type tags without end", osctest.Pad("/abc") + ",iii", osc.FaultString, 8},
		{"blob without size", osctest.Pad("/a") + osctest.Pad(",b"), osc.FaultArgument, 8},
		{"int cut off", osctest.Pad("/a") + osctest.Pad(",i"), osc.FaultArgument, 8},
		{"long cut off", osctest.Pad("/a") + osctest.Pad(",h") + osctest.Be32(1), osc.FaultArgument, 8},
		{"string without end", osctest.Pad("/a") + osctest.Pad(",s") + "abcd", osc.FaultString, 8},
		{"blob too long", osctest.Pad("/a") + osctest.Pad(",b") + osctest.Be32(100), osc.FaultArgument, 8},
		{"blob negative", osctest.Pad("/a") + osctest.Pad(",b") + osctest.Be32(0xffffffff), osc.FaultArgument, 8},
		{"bytes behind", osctest.Pad("/a") + osctest.Pad(",i") + osctest.Be32(1) + osctest.Be32(2), osc.FaultTrailing, 12},
		{"bundle without time", "#bundle\x00", osc.FaultBundle, 0},
		{"not a bundle", "#bundlf\x00" + osctest.Be64(1), osc.FaultBundle, 0},
		{"element negative", "#bundle\x00" + osctest.Be64(1) + osctest.Be32(0xffffffff), osc.FaultBundle, 16},
		{"element too long", "#bundle\x00" + osctest.Be64(1) + osctest.Be32(100) + osctest.Pad("/a"), osc.FaultBundle, 16},
		{"too deep", deep, osc.FaultDepth, osc.MaxDepth * 20},
		{"too wide", osctest.Bundle(wide...), osc.FaultCount, 16 + osc.MaxElements*8},
		{"too many arguments", osctest.Pad("/a") + osctest.Pad(","+strings.Repeat("N", osc.MaxArgs+1)), osc.FaultCount, 5 + osc.MaxArgs},
	} {
		_, wrong := osctest.Seen([]byte(tt.packet))
		if len(wrong) != 1 || wrong[0].Fault != tt.want || wrong[0].Offset != tt.at {
			t.Errorf("%s: %v, want fault %d at %d", tt.name, wrong, tt.want, tt.at)
		}
	}
}

// A malformed element does not affect the other elements.
func TestDecodeServesTheRest(t *testing.T) {
	got, wrong := osctest.Seen([]byte(osctest.Bundle(osctest.Pad("/a"), osctest.Pad("/b")+osctest.Pad(",x"), osctest.Pad("/c"))))
	if strings.Join(got, "|") != "/a|/c" || len(wrong) != 1 {
		t.Errorf("%q, %v", got, wrong)
	}
}

// Decode reads what go-osc encodes, in order.
func TestAgainstGoOSC(t *testing.T) {
	m := goosc.NewMessage("/x/y", int32(-7), int64(1<<40), float32(0.5), 0.25, "text", []byte{1, 2, 3}, true, false, nil,
		*goosc.NewTimetag(time.Unix(2, 0)))
	b := goosc.NewBundle(time.Unix(1, 0))
	inner := goosc.NewBundle(time.Unix(3, 0))
	_ = inner.Append(goosc.NewMessage("/w"))
	_ = b.Append(m)
	_ = b.Append(goosc.NewMessage("/z"))
	_ = b.Append(inner)
	packet, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got, wrong := osctest.Seen(packet)
	want := `/x/y -7 1099511627776 0.5 0.25 "text" <3 bytes> true false an argument of type N an argument of type t|/z|/w`
	if strings.Join(got, "|") != want || len(wrong) > 0 {
		t.Errorf("%q, %v", got, wrong)
	}
}

// A message has the time tag of the innermost bundle. Immediately stands for the tag of the bundle
// around it, and no tag lies before that one.
func TestDecodeTime(t *testing.T) {
	at := func(time uint64, elements ...string) string {
		return "#bundle\x00" + osctest.Be64(time) + osctest.Bundle(elements...)[16:]
	}
	var got []string
	visit := func(m *osc.Message) { got = append(got, fmt.Sprintf("%s %x", m.Address, m.Time)) }
	wrong := func(e *osc.DecodeError) { got = append(got, fmt.Sprintf("fault %d at %d", e.Fault, e.Offset)) }
	var d osc.Decoder
	const early, late = 0xe000000080000000, 0xe000000080000001
	d.Decode([]byte(at(early, osctest.Pad("/a"), at(1, osctest.Pad("/b")), at(late, osctest.Pad("/c")), at(early, osctest.Pad("/d")), osctest.Pad("/e"))), visit, wrong)
	d.Decode([]byte(at(1, at(late, osctest.Pad("/f")), osctest.Pad("/g"))), visit, wrong)
	d.Decode([]byte(at(late, at(early, osctest.Pad("/x")), osctest.Pad("/h"))), visit, wrong)
	d.Decode([]byte(at(0xffffffff00000000, at(0x0000000100000000, osctest.Pad("/i")))), visit, wrong)
	d.Decode([]byte(osctest.Pad("/j")), visit, wrong)
	want := "/a e000000080000000|/b e000000080000000|/c e000000080000001|/d e000000080000000|/e e000000080000000|" +
		"/f e000000080000001|/g 1|" + fmt.Sprintf("fault %d at 28|/h e000000080000001|/i 100000000|/j 1", osc.FaultTime)
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("%s\n%s", s, want)
	}
	if osc.Immediately != 1 {
		t.Error("the time tag that means now is 1 (OSC 1.0)")
	}
}

// Every fault has a name of its own: they are the keys of Stats.Malformed.
func TestFaultNames(t *testing.T) {
	names := map[string]osc.Fault{}
	for f := range osc.Fault(osc.NumFaults) {
		if other, twice := names[f.String()]; twice || f.String() == "" {
			t.Errorf("fault %d is called %q, like %d", f, f, other)
		}
		names[f.String()] = f
	}
}

func TestNoAllocs(t *testing.T) {
	s := osctest.Space(t)
	packet := []byte(osctest.Bundle(osctest.Pad("/mod/filter1/cutoff")+osctest.Pad(",f")+osctest.Be32(math.Float32bits(440)), osctest.Pad("/gate/adsr1")+osctest.Pad(",s")+osctest.Pad("on")))
	var d osc.Decoder
	count := 0
	visit := func(m *osc.Message) {
		if _, _, err := s.Resolve(m); err == nil {
			count++
		}
	}
	wrong := func(*osc.DecodeError) {}
	if n := testing.AllocsPerRun(100, func() { d.Decode(packet, visit, wrong) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	if count == 0 {
		t.Error("nothing was resolved")
	}
}

func BenchmarkDecode(b *testing.B) {
	s := osctest.Space(b)
	packet, _ := osc.Encode("/mod/filter1/cutoff", float32(440))
	var d osc.Decoder
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(packet, func(m *osc.Message) { _, _, _ = s.Resolve(m) }, func(e *osc.DecodeError) { b.Fatal(e) })
	}
}
