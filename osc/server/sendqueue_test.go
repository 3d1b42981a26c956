package server

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// /done is written by hand; it is what the library would write.
func TestDone(t *testing.T) {
	s, _ := mute(t, Access{})
	for _, address := range []string{"/a", "/ab", "/abc", "/mod/filter1/cutoff", "/" + strings.Repeat("x", osc.MaxAddress-1)} {
		if err := s.Peer(near).Done(address); err != nil {
			t.Fatal(err)
		}
		l := s.outbox.take(nil)
		if len(l) != 1 || l[0].to != near || !bytes.Equal(l[0].packet, osctest.Encode(t, "/done", address)) {
			t.Errorf("%.20s: %v", address, l)
		}
	}
	for _, address := range []string{"", "a", "/", "/\x00", "/" + strings.Repeat("x", osc.MaxAddress)} {
		if err := s.Peer(near).Done(address); err == nil {
			t.Errorf("%.20q can be sent", address)
		}
	}
	if err := (Peer{}).Done("/a"); !errors.Is(err, errNobody) {
		t.Errorf("to nobody: %v", err)
	}
}

// What may wait for more does; it goes out with what may not, with Flush, and when there is much of it. What is above the size is lost.
func TestOutbox(t *testing.T) {
	o := newOutbox()
	goes := func() bool {
		select {
		case <-o.ready:
			return true
		default:
			return false
		}
	}
	l := letter{near, []byte("x")}
	if !o.put(l, true) || goes() {
		t.Error("what may wait goes out")
	}
	if !o.put(l, false) || !goes() || len(o.take(nil)) != 2 {
		t.Error("what may not wait does")
	}
	o.put(l, true)
	if o.flush(); !goes() || len(o.take(nil)) != 1 {
		t.Error("after a flush it waits")
	}
	for n := range outboxSize {
		if !o.put(l, true) {
			t.Fatalf("%d of %d have room", n, outboxSize)
		}
	}
	if !goes() || o.put(l, true) || len(o.take(nil)) != outboxSize {
		t.Error("a full outbox waits, or takes more")
	}
}

// Of many answers those that follow one another to a program of this machine go out together, as many as a bundle holds.
func TestTogether(t *testing.T) {
	a, b := letter{near, osctest.Encode(t, "/done", "/a")}, letter{netip.AddrPortFrom(near.Addr(), 9), osctest.Encode(t, "/done", "/b")}
	large := letter{near, osctest.Encode(t, "/large", strings.Repeat("x", mostBundle))}
	largest := letter{near, osctest.Encode(t, "/l", strings.Repeat("x", osc.MaxPacket-16))}
	away := letter{far, a.packet}
	for _, c := range []struct {
		name string
		list []letter
		want string // letters of each datagram
	}{
		{"few", slices.Repeat([]letter{a}, crowded-1), strings.Repeat("1 ", crowded-1)},
		{"many", slices.Repeat([]letter{a}, crowded), "8 "},
		{"more than a bundle holds", slices.Repeat([]letter{a}, 100), "69 31 "},
		{"to two", append(slices.Repeat([]letter{a}, 20), b, a, b, b), "20 1 1 2 "},
		{"to other machines", slices.Repeat([]letter{away}, 17), strings.Repeat("1 ", 17)},
		{"large ones", append(slices.Repeat([]letter{large}, 2), slices.Repeat([]letter{a}, 15)...), "1 1 15 "},
		{"the largest", append(slices.Repeat([]letter{largest}, 2), slices.Repeat([]letter{a}, 15)...), "1 1 15 "},
	} {
		got, buf := "", make([]byte, 0, mostBundle)
		for rest := c.list; len(rest) > 0; {
			packet, n := together(buf, rest, len(c.list) >= crowded)
			texts, _ := osctest.Seen(packet)
			if len(packet) > osc.MaxPacket {
				t.Errorf("%s: %d bytes, more than UDP carries", c.name, len(packet))
			}
			if len(texts) != n {
				t.Errorf("%s: %d messages, %d letters", c.name, len(texts), n)
			}
			got, rest = got+fmt.Sprint(n, " "), rest[n:]
		}
		if got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
	}
}
