package actors

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
)

// plainIntake is one with the default patch's addresses alone.
func plainIntake(t *testing.T) (*intake, chan commandlog.Batch, server.Peer) {
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
	in.editor = in.conductor
	in.desk.inFlight.Store(inFlightMost)
	for _, packet := range [][]byte{encoded(t, "/sync", 7), encoded(t, "/get", "/engine/amp"), encoded(t, "/patch/list")} {
		in.takes(t, from, packet)
	}
	b := make([]byte, 2048)
	for _, w := range []string{`/fail "/sync"`, `/fail "/get"`, `/fail "/patch/list"`} {
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
	if n := in.desk.inFlight.Load(); n != inFlightMost || in.desk.dropped.Load() != 3 || len(came) != 0 || in.desk.asks.Load() != 0 {
		t.Errorf("%d in flight, %d dropped, %d came, %d asked", n, in.desk.dropped.Load(), len(came), in.desk.asks.Load())
	}
}

// A verb comes behind what the same sender has sent before, in one read or in one packet: /patch/save saves what was set.
func TestVerbsComeBehindPlays(t *testing.T) {
	in, _, from := plainIntake(t)
	seen := make(chan string, 100)
	both := in.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case batches:
			for _, b := range m.list {
				for _, p := range b.Requests {
					if len(p.Commands) > 0 {
						seen <- fmt.Sprintf("%.1f", p.Commands[0].Value)
					}
					p.Requester.Answer(nil)
				}
			}
		case request:
			seen <- m.verb.address
		}
	}))
	in.conductor, in.editor = both, both
	for _, packet := range [][]byte{
		encoded(t, "/engine/amp", 0.1), encoded(t, "/patch/save", "x"),
		bundled(t, osc.Immediately, encoded(t, "/engine/amp", 0.2), encoded(t, "/patch/commit")), encoded(t, "/engine/amp", 0.3),
	} {
		var d osc.Decoder
		d.Decode(packet, func(m *osc.Message) { in.Take(m, from) }, func(e *osc.DecodeError) { t.Error(e) })
		in.End(from)
	}
	in.Flush()
	got := ""
	for range 5 {
		select {
		case s := <-seen:
			got += s + " "
		case <-time.After(5 * time.Second):
			t.Fatal("after ", got, "nothing comes")
		}
	}
	// both are sent to one actor, so what is sent later is behind; the conductor's turn is over before the editor's begins
	if got != "0.1 0.2 0.3 /patch/save /patch/commit " {
		t.Errorf("%s", got)
	}
	if n := in.desk.drafts.onWay.Load(); n != 2 {
		t.Errorf("%d verbs on their way", n)
	}
}
