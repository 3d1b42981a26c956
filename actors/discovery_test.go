package actors

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
	"github.com/music-chronus/chronus/osc/server"
)

// deskAt is a desk with a socket at an address, and what tells of it.
func deskAt(t *testing.T, cfg Config) *desk {
	t.Helper()
	d, err := newDesk(cfg.OSC, server.Access{}, planOf(t, valuePatch))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	cfg.Logger = slog.New(slog.DiscardHandler)
	if err := d.discover(cfg); err != nil {
		t.Fatal(err)
	}
	return d
}

// The OSCQuery server is 80 above OSC, or where there is room if that is taken, or if there is no such port.
func TestQueryPort(t *testing.T) {
	free := func() (osc, query int) { // a pair of ports
		for {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			osc := l.Addr().(*net.TCPAddr).Port
			_ = l.Close()
			if l, err = net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(min(osc+queryAbove, 1<<16-1))); err == nil {
				_ = l.Close()
				return osc, osc + queryAbove
			}
		}
	}
	port, above := free()
	d := deskAt(t, Config{OSC: "127.0.0.1:" + strconv.Itoa(port)})
	if got := int(d.query.Addr().Port()); got != above && above < 1<<16 {
		t.Errorf("OSC at %d, OSCQuery at %d", port, got)
	}
	d.close()
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(above))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if d = deskAt(t, Config{OSC: "127.0.0.1:" + strconv.Itoa(port)}); int(d.query.Addr().Port()) == above {
		t.Error("it has a port that is taken")
	}
}

// By UDP from another machine, where who asks may be forged, nobody is told anything without the token.
func TestForgedSubscription(t *testing.T) {
	d := deskAt(t, Config{OSC: "127.0.0.1:0", OSCQuery: noOSC})
	if d.query != nil || d.announcer != nil {
		t.Error("it is told where nobody asked")
	}
	far, here := d.server.Peer(netip.MustParseAddrPort("192.0.2.1:9")), d.server.Peer(netip.MustParseAddrPort("127.0.0.1:9"))
	for _, s := range []feed.Subscriber{{All: true}, {Lines: true}} {
		if _, err := d.subscribe(far, s); !errors.Is(err, errForged) {
			t.Errorf("%+v: %v", s, err)
		}
		if n, err := d.subscribe(here, s); err != nil || n != 1 {
			t.Errorf("%+v: %d, %v", s, n, err)
		}
	}
	if n, err := d.subscribe(here, feed.Subscriber{}); n != 0 || err != nil || d.feed.Cancel(here) {
		t.Errorf("who wants nothing is still there: %d, %v", n, err)
	}
	if err := mute(nil, &osc.Message{Args: []osc.Arg{{Tag: 'i'}}}, far); !errors.Is(err, errMute) {
		t.Errorf("another could be kept from being told what fails: %v", err)
	}
}
