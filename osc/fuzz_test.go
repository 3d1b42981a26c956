package osc

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// Whatever the packet: it is not written to, what is visited is within the limits, faults point into it, and a packet
// of bytes that are neither visited nor faulty does not exist (but for bundles of nothing).
func FuzzDecode(f *testing.F) {
	for _, k := range killers(f) {
		if len(k.packet) < 4096 {
			f.Add(k.packet)
		}
	}
	f.Add([]byte(bundle(pad("/mod/filter1/cutoff")+pad(",f")+be32(1), pad("/gate/adsr1")+pad(",s")+pad("on"))))
	space := testSpace(f)
	var d Decoder
	f.Fuzz(func(t *testing.T, packet []byte) {
		before, told := bytes.Clone(packet), 0
		d.Decode(packet, func(m *Message) {
			told++
			if !sendable(m.Address) || len(m.Args) > MaxArgs {
				t.Fatalf("%q with %d arguments", m.Address, len(m.Args))
			}
			if s := m.String(); len(s) > maxLine {
				t.Fatalf("%d bytes to show", len(s))
			}
			checkResolved(t, space, m)
		}, func(e *DecodeError) {
			told++
			if e.Offset < 0 || e.Offset > len(packet) || e.Fault < 0 || e.Fault >= faults {
				t.Fatalf("%+v", e)
			}
		})
		if !bytes.Equal(before, packet) {
			t.Fatal("the packet was written to")
		}
		if most := MaxElements + MaxDepth; told > most {
			t.Fatalf("%d messages and faults", told)
		}
		if told == 0 && !bytes.HasPrefix(packet, bundleHead) {
			t.Fatalf("%q passed unseen", packet)
		}
	})
}

// Whatever the address and the argument, what is resolved is a value that the entry takes, and a refusal is short.
func FuzzResolve(f *testing.F) {
	for i, address := range []string{"/mod/filter1/cutoff", "/mod/filter1/mode", "/gate/adsr1", "/engine/status", "/mod/filter1/x", "/*", "/"} {
		f.Add([]byte(address), "fsTidh"[i%6], math.Float64bits(440), []byte("on"), 1)
		f.Add([]byte(address), byte('s'), uint64(math.Float32bits(0.1)), []byte("h\xc3\xa9\x00\xff"), i)
	}
	space := testSpace(f)
	f.Fuzz(func(t *testing.T, address []byte, tag byte, bits uint64, text []byte, count int) {
		if !sendable(address) || !slices.Contains([]byte("ifhdsSbtcrmTFNI"), tag) {
			return // Decode lets none such through
		}
		a := Arg{Tag: tag, Bits: bits}
		if slices.Contains([]byte("sSb"), tag) {
			a.Bytes = text
		}
		checkResolved(t, space, &Message{Address: address, Args: slices.Repeat([]Arg{a}, min(max(count, 0), 3))})
	})
}

// checkResolved says for itself, more plainly than Resolve, what an entry of testSpace takes.
func checkResolved(t *testing.T, space *Space, m *Message) {
	t.Helper()
	entry, got, err := space.Resolve(m)
	if err != nil {
		if len(err.Error()) > MaxReason || bytes.ContainsFunc([]byte(err.Error()), func(r rune) bool { return r < ' ' || r > '~' }) {
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
func plainNumber(a Arg) (v float64, ok bool) {
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
