package osc_test

import (
	"math"
	"strings"
	"testing"

	goosc "github.com/hypebeast/go-osc/osc"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// go-osc and Decode read the same addresses, and arguments to the bit, from every packet that both
// accept. Excluded are known errors of go-osc: nested bundles, packets above 4,096 bytes, and the
// fractions of time tags.
func FuzzAgainstGoOSC(f *testing.F) {
	for _, k := range osctest.Killers(f) {
		if len(k.Packet) < 1024 {
			f.Add(k.Packet)
		}
	}
	f.Add([]byte(osctest.Pad("/a") + osctest.Pad(",ifhdsbTFNt") + osctest.Be32(7) + osctest.Be32(math.Float32bits(0.1)) + osctest.Be64(1<<40) + osctest.Be64(math.Float64bits(-0.1)) + osctest.Pad("text") + osctest.Be32(3) + "abc\x00" + osctest.Be64(1<<32)))
	f.Add([]byte(osctest.Bundle(osctest.Pad("/a")+osctest.Pad(",i")+osctest.Be32(1), osctest.Pad("/b")+osctest.Pad(",s")+osctest.Pad("x"), osctest.Pad("/c")+osctest.Pad(","))))
	f.Add([]byte(osctest.Pad("/a") + osctest.Pad(",f") + osctest.Be32(0x7fc00001)))
	f.Fuzz(func(t *testing.T, packet []byte) { compareWithGoOSC(t, packet) })
}

// The comparison covers real packets.
func TestGoOSCTakesTheSame(t *testing.T) {
	for _, packet := range []string{
		osctest.Pad("/a") + osctest.Pad(",if") + osctest.Be32(7) + osctest.Be32(math.Float32bits(0.1)), osctest.Pad("/a") + osctest.Pad(","), osctest.Bundle(osctest.Pad("/a")+osctest.Pad(",i")+osctest.Be32(1), osctest.Pad("/b")+osctest.Pad(",s")+osctest.Pad("x")),
	} {
		if !compareWithGoOSC(t, []byte(packet)) {
			t.Errorf("%q is not taken by both", packet)
		}
	}
	if compareWithGoOSC(t, []byte(osctest.Pad("/a")+osctest.Pad(",[i]")+osctest.Be32(1))) {
		t.Error("go-osc reads arrays by now: the packets that are compared may be more")
	}
}

// compareWithGoOSC returns false if one of the two does not accept a packet.
func compareWithGoOSC(t *testing.T, packet []byte) bool {
	t.Helper()
	if len(packet) > 1024 || strings.Count(string(packet), "#bundle") > 1 {
		return false
	}
	var ours []osc.Message
	faults := 0
	var d osc.Decoder
	d.Decode(packet, func(m *osc.Message) {
		c := *m
		c.Args = append([]osc.Arg(nil), m.Args...)
		ours = append(ours, c)
	}, func(*osc.DecodeError) { faults++ })
	theirs, err := goosc.ParsePacket(string(packet))
	if faults > 0 || err != nil || theirs == nil {
		return false
	}
	var list []*goosc.Message
	switch p := theirs.(type) {
	case *goosc.Message:
		list = append(list, p)
	case *goosc.Bundle:
		list = p.Messages
	}
	if len(list) != len(ours) {
		t.Fatalf("%q: %d messages, go-osc finds %d", packet, len(ours), len(list))
	}
	for i, m := range list {
		if m.Address != string(ours[i].Address) || len(m.Arguments) != len(ours[i].Args) {
			t.Fatalf("%q: %v, go-osc reads %s with %d arguments", packet, &ours[i], m.Address, len(m.Arguments))
		}
		for k, v := range m.Arguments {
			a := ours[i].Args[k]
			if _, timed := v.(goosc.Timetag); !(timed && a.Tag == 't' || v == nil && a.Tag == 'N' || v != nil && equal(a, v)) {
				t.Fatalf("%q: %v, go-osc reads %v", packet, a, v)
			}
		}
	}
	return true
}
