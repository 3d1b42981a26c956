package frontend

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
	"github.com/music-chronus/chronus/osc/server"
)

// By UDP from another machine, where the sender may be forged, a subscription requires the token.
func TestForgedSubscription(t *testing.T) {
	f := frontendOf(t, valuePatch)
	if err := f.Discover(); err != nil {
		t.Fatal(err)
	}
	if f.query != nil || f.announcer != nil {
		t.Error("it is told where nobody asked")
	}
	far, here := f.server.Peer(netip.MustParseAddrPort("192.0.2.1:9")), f.server.Peer(netip.MustParseAddrPort("127.0.0.1:9"))
	for _, s := range []feed.Subscriber{{All: true}, {Lines: true}} {
		if _, err := f.subscribe(far, s); !errors.Is(err, errForged) {
			t.Errorf("%+v: %v", s, err)
		}
		if n, err := f.subscribe(here, s); err != nil || n != 1 {
			t.Errorf("%+v: %d, %v", s, n, err)
		}
	}
	if n, err := f.subscribe(here, feed.Subscriber{}); n != 0 || err != nil || f.feed.Cancel(here) {
		t.Errorf("who wants nothing is still there: %d, %v", n, err)
	}
	if err := muteErrors(nil, &osc.Message{Args: []osc.Arg{{Tag: 'i'}}}, far); !errors.Is(err, errForgedMute) {
		t.Errorf("another could be kept from being told what fails: %v", err)
	}
}

// A sender that may be forged cannot reduce a subscription; any other can.
func TestForgedEnd(t *testing.T) {
	h, _, near := handlerOf(t)
	far := h.f.server.Peer(netip.MustParseAddrPort("192.0.2.1:9"))
	for _, tt := range []struct {
		from    server.Peer
		name    string
		run     queryFunc
		arg     uint64
		all     bool // is still told
		lines   bool
		numbers bool
	}{
		{far, "/notify", notify, 0, true, true, false},
		{far, "/notify", notify, 2, true, true, false},
		{far, "/dumpOSC", dumpOSC, 0, true, true, false},
		{near, "/notify", notify, 0, false, true, false},
		{near, "/notify", notify, 2, true, true, true},
		{near, "/dumpOSC", dumpOSC, 0, true, false, false},
	} {
		s := newSubscriber(tt.from)
		s.All, s.Events, s.Lines = true, true, true
		if _, err := h.f.feed.Subscribe(tt.from, s); err != nil {
			t.Fatal(err)
		}
		if err := tt.run(h, &osc.Message{Address: []byte(tt.name), Args: []osc.Arg{{Tag: 'i', Bits: tt.arg}}}, tt.from); (err == errForgedEnd) != (tt.from == far) {
			t.Errorf("%s %d of %v: %v", tt.name, tt.arg, tt.from, err)
		}
		if now, _ := h.f.feed.Get(tt.from); now.All != tt.all || now.Lines != tt.lines || now.Numbers != tt.numbers {
			t.Errorf("after %s %d of %v: all %t, lines %t, numbers %t", tt.name, tt.arg, tt.from, now.All, now.Lines, now.Numbers)
		}
		h.f.feed.Cancel(tt.from)
	}
	if _, err := h.f.subscribe(far, feed.Subscriber{}); err != nil {
		t.Errorf("to be told nothing, as before: %v", err)
	}
	if err := muteErrors(h, &osc.Message{Args: []osc.Arg{{Tag: 'F'}}}, far); err != errForgedMute {
		t.Errorf("to be told no /fail: %v", err)
	}
}
