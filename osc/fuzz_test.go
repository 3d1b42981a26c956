package osc_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// Decode never writes to a packet. Messages are within the limits, and faults point into the
// packet. Every packet has a message or a fault, except bundles of nothing.
func FuzzDecode(f *testing.F) {
	for _, k := range osctest.Killers(f) {
		if len(k.Packet) < 4096 {
			f.Add(k.Packet)
		}
	}
	f.Add([]byte(osctest.Bundle(osctest.Pad("/mod/filter1/cutoff")+osctest.Pad(",f")+osctest.Be32(1), osctest.Pad("/gate/adsr1")+osctest.Pad(",s")+osctest.Pad("on"))))
	space := osctest.Space(f)
	var d osc.Decoder
	f.Fuzz(func(t *testing.T, packet []byte) {
		before, told := bytes.Clone(packet), 0
		d.Decode(packet, func(m *osc.Message) {
			told++
			if !osc.Sendable(m.Address) || len(m.Args) > osc.MaxArgs {
				t.Fatalf("%q with %d arguments", m.Address, len(m.Args))
			}
			if s := m.String(); len(s) > osc.MaxLine {
				t.Fatalf("%d bytes to show", len(s))
			}
			checkResolved(t, space, m)
		}, func(e *osc.DecodeError) {
			told++
			if e.Offset < 0 || e.Offset > len(packet) || e.Fault < 0 || int(e.Fault) >= osc.NumFaults {
				t.Fatalf("%+v", e)
			}
		})
		if !bytes.Equal(before, packet) {
			t.Fatal("the packet was written to")
		}
		if most := osc.MaxElements + osc.MaxDepth; told > most {
			t.Fatalf("%d messages and faults", told)
		}
		if told == 0 && !bytes.HasPrefix(packet, osc.BundleHead) {
			t.Fatalf("%q passed unseen", packet)
		}
	})
}

// Resolve returns a value that the entry accepts, or a short refusal.
func FuzzResolve(f *testing.F) {
	for i, address := range []string{"/mod/filter1/cutoff", "/mod/filter1/mode", "/gate/adsr1", "/engine/status", "/mod/filter1/x", "/*", "/"} {
		f.Add([]byte(address), "fsTidh"[i%6], math.Float64bits(440), []byte("on"), 1)
		f.Add([]byte(address), byte('s'), uint64(math.Float32bits(0.1)), []byte("h\xc3\xa9\x00\xff"), i)
	}
	space := osctest.Space(f)
	f.Fuzz(func(t *testing.T, address []byte, tag byte, bits uint64, text []byte, count int) {
		if !osc.Sendable(address) || !slices.Contains([]byte("ifhdsSbtcrmTFNI"), tag) {
			return // Decode refuses it
		}
		a := osc.Arg{Tag: tag, Bits: bits}
		if slices.Contains([]byte("sSb"), tag) {
			a.Bytes = text
		}
		checkResolved(t, space, &osc.Message{Address: address, Args: slices.Repeat([]osc.Arg{a}, min(max(count, 0), 3))})
	})
}

// checkResolved says independently, and more plainly than Resolve, what an entry of osctest.Space
// accepts.
func checkResolved(t *testing.T, space *osc.Space, m *osc.Message) {
	t.Helper()
	entry, got, err := space.Resolve(m)
	if err != nil {
		if len(err.Error()) > osc.MaxReason || bytes.ContainsFunc([]byte(err.Error()), func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q", err)
		}
	}
	want, ok := 0.0, false
	if len(m.Args) == 1 {
		a := m.Args[0]
		v, number := plainNumber(a)
		text := ""
		if a.Tag == 's' || a.Tag == 'S' {
			text = string(a.Bytes)
		}
		switch string(m.Address) {
		case "/mod/filter1/cutoff":
			want, ok = v, number && v >= 10 && v <= 20000
		case "/mod/filter1/mode":
			if want, ok = v, number && (v == 0 || v == 1 || v == 2); !number {
				i := slices.Index([]string{"lp", "hp", "bp"}, text)
				want, ok = float64(i), i >= 0
			}
		case "/gate/adsr1":
			if want, ok = math.Max(v, 0), number; !number {
				on := a.Tag == 'T' || text == "on"
				ok = on || a.Tag == 'F' || text == "off"
				if on {
					want = 1
				}
			}
		}
	}
	if string(m.Address) == "/engine/status" {
		ok = len(m.Args) == 0 || len(m.Args) == 1 && (m.Args[0].Tag == 'N' || m.Args[0].Tag == 'I')
	}
	if ok != (err == nil) || ok && (got.Number != want || space.Entries()[entry].Address != string(m.Address)) {
		t.Fatalf("%v: entry %d, %g, %v, want %g, %t", m, entry, got.Number, err, want, ok)
	}
}

// plainNumber is the finite number of an argument.
func plainNumber(a osc.Arg) (v float64, ok bool) {
	raw := binary.BigEndian.AppendUint64(nil, a.Bits)
	switch a.Tag {
	case 'i':
		v = float64(int32(binary.BigEndian.Uint32(raw[4:])))
	case 'f':
		v = float64(math.Float32frombits(binary.BigEndian.Uint32(raw[4:])))
	case 'h':
		v = float64(int64(a.Bits))
	case 'd':
		v = math.Float64frombits(a.Bits)
	default:
		return 0, false
	}
	return v, v-v == 0
}
