package actors

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
	"github.com/music-chronus/chronus/osc/server"
)

// What may be forged takes nothing from who is told; what cannot be does.
func TestForgedEnd(t *testing.T) {
	in, _, near := intakeOf(t)
	far := in.desk.server.Peer(netip.MustParseAddrPort("192.0.2.1:9"))
	for _, tt := range []struct {
		from    server.Peer
		name    string
		run     func(*intake, *osc.Message, server.Peer) error
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

// However many ask for the state, no more than asksMost wait for Monitor, whatever they ask for; the others are told to try again, and there is room again
// once it has answered or failed.
func TestAsksAreBounded(t *testing.T) {
	in, _, near := intakeOf(t)
	waiting := make(chan any, 2*asksMost)
	in.monitor = in.root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case askStatus, later:
			waiting <- m
		}
	}))
	addresses, err := NewAddresses(in.desk.directory.Load().Addresses.plan)
	if err != nil {
		t.Fatal(err)
	}
	in.known = &directory{Addresses: addresses}
	refused := 0
	for i := range 2 * asksMost {
		if i%2 == 0 {
			err = in.take(&osc.Message{Address: []byte("/engine/status"), Time: osc.Immediately}, near)
		} else {
			err = scStatus(in, &osc.Message{}, near)
		}
		switch {
		case errors.Is(err, errBusy):
			refused++
		case err != nil:
			t.Fatal(err)
		}
	}
	if refused != asksMost {
		t.Errorf("of %d %d are refused", 2*asksMost, refused)
	}
	var m monitor // without a tree: to make a status is a panic
	for range asksMost {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("it did not fail")
				}
			}()
			m.answer((<-waiting).(askStatus))
		}()
	}
	if n := in.desk.asks.Load(); n != 0 || in.askStatus(func(Status) {}) != nil {
		t.Errorf("%d still wait", n)
	}
}
