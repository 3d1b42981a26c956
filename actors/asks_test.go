package actors

import (
	"net/netip"
	"testing"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
)

// What may be forged takes nothing from who is told; what cannot be does.
func TestForgedEnd(t *testing.T) {
	in, _, near := intakeOf(t)
	far := in.desk.server.Peer(netip.MustParseAddrPort("192.0.2.1:9"))
	for _, tt := range []struct {
		from    osc.Peer
		name    string
		run     func(*intake, *osc.Message, osc.Peer) error
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
		s := told(tt.from)
		s.All, s.Events, s.Lines = true, true, true
		if _, err := in.desk.feed.Subscribe(tt.from, s); err != nil {
			t.Fatal(err)
		}
		if err := tt.run(in, &osc.Message{Address: []byte(tt.name), Args: []osc.Arg{{Tag: 'i', Bits: tt.arg}}}, tt.from); (err == errLasts) != (tt.from == far) {
			t.Errorf("%s %d of %v: %v", tt.name, tt.arg, tt.from, err)
		}
		if now, _ := in.desk.feed.Get(tt.from); now.All != tt.all || now.Lines != tt.lines || now.Numbers != tt.numbers {
			t.Errorf("after %s %d of %v: all %t, lines %t, numbers %t", tt.name, tt.arg, tt.from, now.All, now.Lines, now.Numbers)
		}
		in.desk.feed.Cancel(tt.from)
	}
	if _, err := in.desk.subscribe(far, feed.Subscriber{}); err != nil {
		t.Errorf("to be told nothing, as before: %v", err)
	}
	if err := mute(in, &osc.Message{Args: []osc.Arg{{Tag: 'F'}}}, far); err != errMute {
		t.Errorf("to be told no /fail: %v", err)
	}
}
