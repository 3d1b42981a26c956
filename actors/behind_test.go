package actors

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// plainIntake is one with the default patch's addresses alone.
func plainIntake(t *testing.T) (*intake, chan batch, osc.Peer) {
	t.Helper()
	in, came, from := intakeOf(t)
	known := *in.desk.directory.Load()
	var err error
	if known.Addresses, err = NewAddresses(known.Addresses.plan); err != nil {
		t.Fatal(err)
	}
	in.desk.directory.Store(&known)
	return in, came, from
}

// What is refused for want of room is refused, also if it has no commands: /synced would say that what was sent before is carried out, while it waits.
func TestRefusedIsNotSynced(t *testing.T) {
	in, came, _ := plainIntake(t)
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(in.desk.server.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	from := in.desk.server.Peer(c.LocalAddr().(*net.UDPAddr).AddrPort())
	in.desk.inFlight.Store(inFlightMost)
	for _, packet := range [][]byte{encoded(t, "/sync", 7), encoded(t, "/get", "/engine/amp")} {
		in.takes(t, from, packet)
	}
	b := make([]byte, 2048)
	for _, w := range []string{`/fail "/sync"`, `/fail "/get"`} {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := c.Read(b)
		if err != nil {
			t.Fatalf("instead of %s: %v", w, err)
		}
		got := ""
		new(osc.Decoder).Decode(b[:n], func(m *osc.Message) { got = m.String() }, func(e *osc.DecodeError) { t.Error(e) })
		if !strings.HasPrefix(got, w) || !strings.Contains(got, errBusy.Error()) {
			t.Errorf("%q, not %q", got, w)
		}
	}
	if n := in.desk.inFlight.Load(); n != inFlightMost || in.desk.dropped.Load() != 2 || len(came) != 0 || in.desk.asks.Load() != 0 {
		t.Errorf("%d in flight, %d dropped, %d came, %d asked", n, in.desk.dropped.Load(), len(came), in.desk.asks.Load())
	}
}
