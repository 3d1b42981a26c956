package midi

import (
	"bytes"
	"testing"
	"time"

	gomidi "gitlab.com/gomidi/midi/v2"

	"github.com/music-chronus/chronus/osc"
)

// lengths of messages with their status byte; 0: system exclusive and undefined messages.
func length(status byte) int {
	switch {
	case status < 0xC0, status >= 0xE0 && status < 0xF0, status == 0xF2:
		return 3
	case status < 0xE0, status == 0xF1, status == 0xF3:
		return 2
	case status == 0xF6, status >= 0xF8:
		return 1
	}
	return 0
}

// simple is a plain parser for the fuzzer to compare with.
func simple(b []byte) (messages [][]byte) {
	var now []byte // status and data so far
	for _, c := range b {
		switch {
		case c >= 0xF8:
			messages = append(messages, []byte{c})
			continue
		case c >= 0x80:
			now = []byte{c}
		case len(now) == 0 || length(now[0]) == 0:
			continue
		default:
			now = append(now, c)
		}
		if len(now) == length(now[0]) {
			messages = append(messages, bytes.Clone(now))
			if now[0] >= 0xF0 {
				now = nil
			} else {
				now = now[:1]
			}
		}
	}
	return messages
}

// Any bytes: every message is whole, the parser finds those that the plainest one finds, wherever
// the bytes are cut, and the translator makes of them requests that can be sent.
func FuzzBytes(f *testing.F) {
	for _, s := range []string{"90 3C 7F 40 7F 3C 00", "F0 01 02 F7 90 F8 3C 7F", "90 3C 91 3E 7F F4 01 F2 01 02 03", "B0 65 00 64 00 06 60 26 7F E0 00 00", "FA F8 F8 FC C0 05 D0 7F A0 3C 7F B0 7B 00", "F2 F7 01 F3 90 F6 F1 05 06"} {
		f.Add(bytesOf(f, s), 2)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		if len(b) > 4096 {
			return
		}
		cut = max(0, min(cut, len(b)))
		var got [][]byte
		p := NewParser(func(m gomidi.Message) { got = append(got, bytes.Clone(m)) })
		p.Bytes(b[:cut])
		p.Bytes(b[cut:])
		want := simple(b)
		if len(got) != len(want) {
			t.Fatalf("%x, want %x", got, want)
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("%x, want %x", got, want)
			}
		}
		on := map[any]bool{}
		tr := NewTranslator(Options{Clock: true}, func(r Request) {
			if _, err := osc.Encode(r.Address, r.Args...); err != nil {
				t.Fatal(err)
			}
			if r.Address == "/engine/bend" {
				if v := r.Args[0].(float32); !(v >= -maxBend && v <= maxBend) {
					t.Fatal(show(r))
				}
			}
			if r.Address == "/note/on" {
				on[r.Args[0]] = true
			}
			if r.Address == "/note/off" {
				delete(on, r.Args[0])
			}
		})
		tr.Bytes(b, time.Unix(0, 0))
		tr.Release()
		if len(on) != 0 {
			t.Fatalf("notes that nobody holds: %v", on)
		}
	})
}

// System exclusive messages of any length take no memory.
func TestLongSysex(t *testing.T) {
	n := 0
	p := NewParser(func(gomidi.Message) { n++ })
	p.Bytes([]byte{0xF0})
	data := bytes.Repeat([]byte{0x55}, 1<<16)
	if allocs := testing.AllocsPerRun(10, func() { p.Bytes(data) }); allocs != 0 {
		t.Errorf("%v allocations in 64 KiB", allocs)
	}
	p.Bytes([]byte{0xF7, 0x90, 60, 100})
	if n != 1 {
		t.Errorf("%d messages", n)
	}
}
