package osc

import (
	"math"
	"strings"
	"testing"

	goosc "github.com/hypebeast/go-osc/osc"
)

// Of every packet that both take go-osc and we read the same: addresses, and arguments to the bit. Left out is what it is known to get
// wrong: bundles in bundles, which swallow what stands behind them, packets across its 4,096 bytes, and the fractions of time tags.
func FuzzAgainstGoOSC(f *testing.F) {
	for _, k := range killers(f) {
		if len(k.packet) < 1024 {
			f.Add(k.packet)
		}
	}
	f.Add([]byte(pad("/a") + pad(",ifhdsbTFNt") + be32(7) + be32(math.Float32bits(0.1)) + be64(1<<40) + be64(math.Float64bits(-0.1)) + pad("text") + be32(3) + "abc\x00" + be64(1<<32)))
	f.Add([]byte(bundle(pad("/a")+pad(",i")+be32(1), pad("/b")+pad(",s")+pad("x"), pad("/c")+pad(","))))
	f.Add([]byte(pad("/a") + pad(",f") + be32(0x7fc00001)))
	f.Fuzz(func(t *testing.T, packet []byte) { compareWithGoOSC(t, packet) })
}

// What is compared above is not nothing.
func TestGoOSCTakesTheSame(t *testing.T) {
	for _, packet := range []string{
		pad("/a") + pad(",if") + be32(7) + be32(math.Float32bits(0.1)), pad("/a") + pad(","), bundle(pad("/a")+pad(",i")+be32(1), pad("/b")+pad(",s")+pad("x")),
	} {
		if !compareWithGoOSC(t, []byte(packet)) {
			t.Errorf("%q is not taken by both", packet)
		}
	}
	if compareWithGoOSC(t, []byte(pad("/a")+pad(",[i]")+be32(1))) {
		t.Error("go-osc reads arrays by now: the packets that are compared may be more")
	}
}

// compareWithGoOSC is false if not both take a packet.
func compareWithGoOSC(t *testing.T, packet []byte) bool {
	t.Helper()
	if len(packet) > 1024 || strings.Count(string(packet), "#bundle") > 1 {
		return false
	}
	var ours []Message
	faults := 0
	var d Decoder
	d.Decode(packet, func(m *Message) {
		c := *m
		c.Args = append([]Arg(nil), m.Args...)
		ours = append(ours, c)
	}, func(*DecodeError) { faults++ })
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
