package osc

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	goosc "github.com/hypebeast/go-osc/osc"
)

// seen collects what a packet holds: messages as text, faults by name.
func seen(packet []byte) (messages []string, wrong []*DecodeError) {
	var d Decoder
	d.Decode(packet, func(m *Message) { messages = append(messages, m.String()) },
		func(e *DecodeError) { c := *e; wrong = append(wrong, &c) })
	return messages, wrong
}

// pad is an OSC string.
func pad(s string) string { return s + strings.Repeat("\x00", 4-len(s)%4) }

func be32(v uint32) string { return string(binary.BigEndian.AppendUint32(nil, v)) }
func be64(v uint64) string { return string(binary.BigEndian.AppendUint64(nil, v)) }

func bundle(elements ...string) string {
	b := "#bundle\x00" + be64(1)
	for _, e := range elements {
		b += be32(uint32(len(e))) + e
	}
	return b
}

func TestDecode(t *testing.T) {
	msg := pad("/a") + pad(",i") + be32(5)
	for _, tt := range []struct{ name, packet, want string }{
		{"int", msg, "/a 5"},
		{"no type tags", pad("/abc"), "/abc"},
		{"no arguments", pad("/abc") + pad(","), "/abc"},
		{"float", pad("/a") + pad(",f") + be32(math.Float32bits(0.1)), "/a 0.1"},
		{"double", pad("/a") + pad(",d") + be64(math.Float64bits(0.1)), "/a 0.1"},
		{"long", pad("/a") + pad(",h") + be64(1<<40), "/a 1099511627776"},
		{"negative", pad("/a") + pad(",i") + be32(0xffffffff), "/a -1"},
		{"string", pad("/a") + pad(",s") + pad("on"), `/a "on"`},
		{"symbol", pad("/a") + pad(",S") + pad("four"), `/a "four"`},
		{"flags", pad("/a") + pad(",TFNI"), "/a true false an argument of type N an argument of type I"},
		{"empty blob", pad("/a") + pad(",b") + be32(0), "/a <0 bytes>"},
		{"blob", pad("/a") + pad(",bi") + be32(5) + "12345\x00\x00\x00" + be32(7), "/a <5 bytes> 7"},
		{"char, colour, midi", pad("/a") + pad(",crm") + be32('x') + be32(1) + be32(2), "/a an argument of type c an argument of type r an argument of type m"},
		{"time tag", pad("/a") + pad(",t") + be64(1), "/a an argument of type t"},
		{"arrays", pad("/a") + pad(",[i[i]]i") + be32(1) + be32(2) + be32(3), "/a 1 2 3"},
		{"bundle", bundle(msg, pad("/b")), "/a 5|/b"},
		{"nested, in order", bundle(pad("/a"), bundle(pad("/b"), pad("/c")), pad("/d")), "/a|/b|/c|/d"},
		{"empty bundle", bundle(), ""},
	} {
		got, wrong := seen([]byte(tt.packet))
		if strings.Join(got, "|") != tt.want || len(wrong) > 0 {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, wrong, tt.want)
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	deep := pad("/a")
	for range MaxDepth + 1 {
		deep = bundle(deep)
	}
	var wide []string
	for range MaxElements + 1 {
		wide = append(wide, pad("/a"))
	}
	for _, tt := range []struct {
		name, packet string
		want         Fault
		at           int
	}{
		{"empty", "", FaultSize, 0},
		{"one byte", "/", FaultSize, 0},
		{"not a multiple of four", pad("/a") + "x", FaultSize, 0},
		{"too long", "/a" + strings.Repeat("\x00", MaxPacket), FaultSize, 0},
		{"no end of the address", "/abc", FaultString, 0},
		{"no slash", pad("abc") + pad(",i") + be32(1), FaultAddress, 0},
		{"slash alone", pad("/") + pad(","), FaultAddress, 0},
		{"not ASCII", pad("/\x88\x30"), FaultAddress, 0},
		{"a space", pad("/a b"), FaultAddress, 0},
		{"address too long", pad("/" + strings.Repeat("a", MaxAddress)), FaultAddress, 0},
		{"no comma", pad("/a") + pad("i") + be32(1), FaultTag, 4},
		{"unknown tag", pad("/a") + pad(",x"), FaultTag, 5},
		{"bracket open", pad("/a") + pad(",[i") + be32(1), FaultTag, 7},
		{"bracket close", pad("/a") + pad(",]"), FaultTag, 5},
		{"type tags without end", pad("/abc") + ",iii", FaultString, 8},
		{"blob without size", pad("/a") + pad(",b"), FaultArgument, 8},
		{"int cut off", pad("/a") + pad(",i"), FaultArgument, 8},
		{"long cut off", pad("/a") + pad(",h") + be32(1), FaultArgument, 8},
		{"string without end", pad("/a") + pad(",s") + "abcd", FaultString, 8},
		{"blob too long", pad("/a") + pad(",b") + be32(100), FaultArgument, 8},
		{"blob negative", pad("/a") + pad(",b") + be32(0xffffffff), FaultArgument, 8},
		{"bytes behind", pad("/a") + pad(",i") + be32(1) + be32(2), FaultTrailing, 12},
		{"bundle without time", "#bundle\x00", FaultBundle, 0},
		{"not a bundle", "#bundlf\x00" + be64(1), FaultBundle, 0},
		{"element negative", "#bundle\x00" + be64(1) + be32(0xffffffff), FaultBundle, 16},
		{"element too long", "#bundle\x00" + be64(1) + be32(100) + pad("/a"), FaultBundle, 16},
		{"too deep", deep, FaultDepth, MaxDepth * 20},
		{"too wide", bundle(wide...), FaultCount, 16 + MaxElements*8},
		{"too many arguments", pad("/a") + pad(","+strings.Repeat("N", MaxArgs+1)), FaultCount, 5 + MaxArgs},
	} {
		_, wrong := seen([]byte(tt.packet))
		if len(wrong) != 1 || wrong[0].Fault != tt.want || wrong[0].Offset != tt.at {
			t.Errorf("%s: %v, want fault %d at %d", tt.name, wrong, tt.want, tt.at)
		}
	}
}

// An element that is wrong does not take the others with it.
func TestDecodeServesTheRest(t *testing.T) {
	got, wrong := seen([]byte(bundle(pad("/a"), pad("/b")+pad(",x"), pad("/c"))))
	if strings.Join(got, "|") != "/a|/c" || len(wrong) != 1 {
		t.Errorf("%q, %v", got, wrong)
	}
}

// What go-osc encodes, we decode to the same, in the same order.
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
	got, wrong := seen(packet)
	want := `/x/y -7 1099511627776 0.5 0.25 "text" <3 bytes> true false an argument of type N an argument of type t|/z|/w`
	if strings.Join(got, "|") != want || len(wrong) > 0 {
		t.Errorf("%q, %v", got, wrong)
	}
}

// A message has the time tag of the bundle that holds it, not of one farther out; what is to be at once is when the
// bundle around it is, and none is before it.
func TestDecodeTime(t *testing.T) {
	at := func(time uint64, elements ...string) string {
		return "#bundle\x00" + be64(time) + bundle(elements...)[16:]
	}
	var got []string
	visit := func(m *Message) { got = append(got, fmt.Sprintf("%s %x", m.Address, m.Time)) }
	wrong := func(e *DecodeError) { got = append(got, fmt.Sprintf("fault %d at %d", e.Fault, e.Offset)) }
	var d Decoder
	const early, late = 0xe000000080000000, 0xe000000080000001
	d.Decode([]byte(at(early, pad("/a"), at(1, pad("/b")), at(late, pad("/c")), at(early, pad("/d")), pad("/e"))), visit, wrong)
	d.Decode([]byte(at(1, at(late, pad("/f")), pad("/g"))), visit, wrong)
	d.Decode([]byte(at(late, at(early, pad("/x")), pad("/h"))), visit, wrong)
	d.Decode([]byte(at(0xffffffff00000000, at(0x0000000100000000, pad("/i")))), visit, wrong)
	d.Decode([]byte(pad("/j")), visit, wrong)
	want := "/a e000000080000000|/b e000000080000000|/c e000000080000001|/d e000000080000000|/e e000000080000000|" +
		"/f e000000080000001|/g 1|" + fmt.Sprintf("fault %d at 28|/h e000000080000001|/i 100000000|/j 1", FaultTime)
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("%s\n%s", s, want)
	}
	if Immediately != 1 {
		t.Error("the time tag that means now is 1 (OSC 1.0)")
	}
}

// Every fault is told in words of its own: they are the keys of Stats.
func TestFaultNames(t *testing.T) {
	names := map[string]Fault{}
	for f := range faults {
		if other, twice := names[f.String()]; twice || f.String() == "" {
			t.Errorf("fault %d is called %q, like %d", f, f, other)
		}
		names[f.String()] = f
	}
}

func TestNoAllocs(t *testing.T) {
	s := testSpace(t)
	packet := []byte(bundle(pad("/mod/filter1/cutoff")+pad(",f")+be32(math.Float32bits(440)), pad("/gate/adsr1")+pad(",s")+pad("on")))
	var d Decoder
	count := 0
	visit := func(m *Message) {
		if _, _, err := s.Resolve(m); err == nil {
			count++
		}
	}
	wrong := func(*DecodeError) {}
	if n := testing.AllocsPerRun(100, func() { d.Decode(packet, visit, wrong) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	if count == 0 {
		t.Error("nothing was resolved")
	}
}

func BenchmarkDecode(b *testing.B) {
	s := testSpace(b)
	packet, _ := Encode("/mod/filter1/cutoff", float32(440))
	var d Decoder
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(packet, func(m *Message) { _, _, _ = s.Resolve(m) }, func(e *DecodeError) { b.Fatal(e) })
	}
}

func ExampleEncode() {
	b, _ := Encode("/gate/adsr1", "on")
	fmt.Printf("%q\n", b)
	// Output: "/gate/adsr1\x00,s\x00\x00on\x00\x00"
}
