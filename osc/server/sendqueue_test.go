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

// EncodeDone writes what go-osc writes.
func TestDone(t *testing.T) {
	s, _ := mute(t, Access{})
	for _, address := range []string{"/a", "/ab", "/abc", "/mod/filter1/cutoff", "/" + strings.Repeat("x", osc.MaxAddress-1)} {
		if err := s.Peer(near).Done(address); err != nil {
			t.Fatal(err)
		}
		l := s.sendQueue.take(nil)
		if len(l) != 1 || l[0].to != near || !bytes.Equal(l[0].packet, osctest.Encode(t, "/done", address)) {
			t.Errorf("%.20s: %v", address, l)
		}
	}
	for _, address := range []string{"", "a", "/", "/\x00", "/" + strings.Repeat("x", osc.MaxAddress)} {
		if err := s.Peer(near).Done(address); err == nil {
			t.Errorf("%.20q can be sent", address)
		}
	}
	if err := (Peer{}).Done("/a"); !errors.Is(err, errInvalidPeer) {
		t.Errorf("to nobody: %v", err)
	}
}

// Datagrams with more to follow wait for another datagram, for Flush, or until there are many.
// Datagrams above the size of the queue are dropped.
func TestOutbox(t *testing.T) {
	o := newSendQueue()
	goes := func() bool {
		select {
		case <-o.ready:
			return true
		default:
			return false
		}
	}
	l := datagram{near, []byte("x")}
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
	for n := range maxWaiting {
		if !o.put(l, true) {
			t.Fatalf("%d of %d have room", n, maxWaiting)
		}
	}
	if !goes() || o.put(l, true) || len(o.take(nil)) != maxWaiting {
		t.Error("a full outbox waits, or takes more")
	}
}

// Answers that follow each other to one program of this machine share a bundle, as many as fit.
func TestTogether(t *testing.T) {
	a, b := datagram{near, osctest.Encode(t, "/done", "/a")}, datagram{netip.AddrPortFrom(near.Addr(), 9), osctest.Encode(t, "/done", "/b")}
	large := datagram{near, osctest.Encode(t, "/large", strings.Repeat("x", maxBundle))}
	largest := datagram{near, osctest.Encode(t, "/l", strings.Repeat("x", osc.MaxPacket-16))}
	away := datagram{far, a.packet}
	for _, c := range []struct {
		name string
		list []datagram
		want string // answers in each datagram
	}{
		{"few", slices.Repeat([]datagram{a}, bundleFrom-1), strings.Repeat("1 ", bundleFrom-1)},
		{"many", slices.Repeat([]datagram{a}, bundleFrom), "8 "},
		{"more than a bundle holds", slices.Repeat([]datagram{a}, 100), "69 31 "},
		{"to two", append(slices.Repeat([]datagram{a}, 20), b, a, b, b), "20 1 1 2 "},
		{"to other machines", slices.Repeat([]datagram{away}, 17), strings.Repeat("1 ", 17)},
		{"large ones", append(slices.Repeat([]datagram{large}, 2), slices.Repeat([]datagram{a}, 15)...), "1 1 15 "},
		{"the largest", append(slices.Repeat([]datagram{largest}, 2), slices.Repeat([]datagram{a}, 15)...), "1 1 15 "},
	} {
		got, buf := "", make([]byte, 0, maxBundle)
		for rest := c.list; len(rest) > 0; {
			packet, n := bundle(buf, rest, len(c.list) >= bundleFrom)
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
