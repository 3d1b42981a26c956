// Package osctest has packets and helpers that the tests of several OSC packages share.
package osctest

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/osc"
)

// Seen decodes a packet. It returns its messages as text, and its faults.
func Seen(packet []byte) (messages []string, wrong []*osc.DecodeError) {
	var d osc.Decoder
	d.Decode(packet, func(m *osc.Message) { messages = append(messages, m.String()) },
		func(e *osc.DecodeError) { c := *e; wrong = append(wrong, &c) })
	return messages, wrong
}

// Pad returns an OSC string: s with one to four NUL bytes.
func Pad(s string) string { return s + strings.Repeat("\x00", 4-len(s)%4) }

// Be32 returns v as four bytes in network order.
func Be32(v uint32) string { return string(binary.BigEndian.AppendUint32(nil, v)) }

// Be64 returns v as eight bytes in network order.
func Be64(v uint64) string { return string(binary.BigEndian.AppendUint64(nil, v)) }

// Bundle returns a bundle of elements that takes effect immediately.
func Bundle(elements ...string) string {
	b := "#bundle\x00" + Be64(1)
	for _, e := range elements {
		b += Be32(uint32(len(e))) + e
	}
	return b
}

// Encode encodes a message, or fails the test.
func Encode(t testing.TB, address string, args ...any) []byte {
	t.Helper()
	b, err := osc.Encode(address, args...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Space returns a small space: /mod/filter1/cutoff, /mod/filter1/mode, /gate/adsr1 and
// /engine/status.
func Space(t testing.TB) *osc.Space {
	t.Helper()
	s, err := osc.NewSpace([]osc.Entry{
		{Address: "/mod/filter1/cutoff", Kind: osc.Number, Min: 10, Max: 20000, Unit: "Hz"},
		{Address: "/mod/filter1/mode", Kind: osc.Name, Names: []string{"lp", "hp", "bp"}},
		{Address: "/gate/adsr1", Kind: osc.Gate},
		{Address: "/engine/status", Kind: osc.Query},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
