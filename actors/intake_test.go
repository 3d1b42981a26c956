package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm"
)

// intakeOf is an intake whose batches come to a channel, with the default patch's addresses and one that needs a token.
func intakeOf(t *testing.T) (*intake, chan commandlog.Batch, server.Peer) {
	t.Helper()
	p, err := patch.Parse("default", patch.Default())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDesk("127.0.0.1:0", server.Access{}, plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	known := d.directory.Load()
	entries := append([]osc.Entry{{Address: "/engine/load", Kind: osc.Gate, RequiresToken: true}}, known.space.Entries()...)
	if known.space, err = osc.NewSpace(entries); err != nil {
		t.Fatal(err)
	}
	known.commands = append([]shm.Command{{Op: shm.OpGate}}, known.commands...)
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	t.Cleanup(system.Shutdown)
	came := make(chan commandlog.Batch, 10)
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(batches); ok {
			for _, b := range m.list {
				came <- b
			}
		}
	}))
	return &intake{desk: d, root: system.Root, conductor: pid, monitor: pid}, came, d.server.Peer(netip.MustParseAddrPort("127.0.0.1:9"))
}

// takes gives a packet to an intake.
func (in *intake) takes(t *testing.T, from server.Peer, packet []byte) {
	t.Helper()
	var d osc.Decoder
	d.Decode(packet, func(m *osc.Message) { in.Take(m, from) }, func(e *osc.DecodeError) { t.Error(e) })
	in.End(from)
	in.Flush()
}

func encoded(t *testing.T, address string, args ...any) []byte {
	t.Helper()
	b, err := osc.Encode(address, args...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func bundled(t *testing.T, tag uint64, packets ...[]byte) []byte {
	t.Helper()
	b, err := osc.EncodeBundle(tag, packets...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A packet becomes one batch: of each message its commands, with the frames of its time tag, but for those that are refused; nothing
// of the packet before is left in it.
func TestIntake(t *testing.T) {
	in, came, from := intakeOf(t)
	known := *in.desk.directory.Load()
	known.plan = 7
	in.desk.directory.Store(&known)
	line := osc.NewTimeline(48000)
	in.desk.timeline = line
	now := moment()
	for i := range int64(100) {
		at := now.Mono - (100-i)*1e9*64/48000
		line.Observe(at, at-1e6, uint64(100+i)*64)
	}
	far := osc.Tag(now.Wall + 1e9)
	in.takes(t, from, bundled(t, osc.Immediately,
		encoded(t, "/engine/freq", float32(300)), encoded(t, "/engine/freq", "high"), encoded(t, "/mod/*/gain", 0.5),
		bundled(t, far, encoded(t, "/gate/adsr1", "on"), encoded(t, "/engine/amp", 1)), bundled(t, osc.Tag(now.Wall-1e9*10), encoded(t, "/engine/amp", 0)),
		bundled(t, osc.Tag(now.Wall+61e9), encoded(t, "/engine/amp", 0)), encoded(t, "/nothing"),
	))
	b := <-came
	var counts []int
	for _, p := range b.Requests {
		counts = append(counts, len(p.Commands))
	}
	if fmt.Sprint(counts) != "[1 2 1 1 1]" || b.Plan != known.plan || in.desk.inFlight.Load() != 5 {
		t.Fatalf("commands of the messages: %v; plan %d, %d in flight", counts, b.Plan, in.desk.inFlight.Load())
	}
	on, amp, late := b.Requests[2], b.Requests[3], b.Requests[4]
	if want := 200*64 + 48000.0; on.Due != amp.Due || !on.Timed || on.Commands[0].Frame != uint64(on.Due) || float64(on.Due) < want-2000 || float64(on.Due) > want+20000 {
		t.Errorf("in a second: frame %d and %d, about %.0f", on.Due, amp.Due, want)
	}
	if late.Commands[0].Frame != 1 || late.Due >= 0 || b.Requests[0].Timed || b.Requests[0].Commands[0].Frame != 0 {
		t.Errorf("ten seconds ago: frame %d for %d; at once: %d", late.Commands[0].Frame, late.Due, b.Requests[0].Commands[0].Frame)
	}
	in.desk.settle(len(b.Requests))
	if n := in.desk.inFlight.Load(); n != 0 {
		t.Errorf("%d in flight", n)
	}
	in.takes(t, from, encoded(t, "/engine/freq", "high")) // refused: no batch
	in.takes(t, from, encoded(t, "/gate/adsr1", "off"))
	if b := <-came; len(b.Requests) != 1 || len(b.Requests[0].Commands) != 1 || b.Requests[0].Commands[0].Op != shm.OpGate {
		t.Errorf("the packet after: %+v", b.Requests)
	}
	if st := in.desk.server.Stats(); st.Failed != 4 {
		t.Errorf("%d refused", st.Failed)
	}
}

// The packets of one read go to Conductor together, each as it came; what was refused for want of room leaves nothing in the others, and neither does what
// is sent in what comes after.
func TestIntakeGathers(t *testing.T) {
	in, came, from := intakeOf(t)
	packet := func(list ...[]byte) {
		var d osc.Decoder
		d.Decode(bundled(t, osc.Immediately, list...), func(m *osc.Message) { in.Take(m, from) }, func(e *osc.DecodeError) { t.Error(e) })
		in.End(from)
	}
	amp := func(v float32) []byte { return encoded(t, "/engine/amp", v) }
	packet(amp(0.1), amp(0.2))
	packet(encoded(t, "/nothing"))
	in.desk.inFlight.Store(inFlightMost - 2)
	packet(amp(0.3), amp(0.4), amp(0.5))
	packet(encoded(t, "/mod/*/gain", 0.6), amp(0.6))
	if in.desk.dropped.Load() != 3 || in.desk.server.Stats().Failed != 4 {
		t.Errorf("%d dropped, %d refused", in.desk.dropped.Load(), in.desk.server.Stats().Failed)
	}
	in.Flush()
	first, second := <-came, <-came
	in.desk.inFlight.Store(0)
	packet(amp(0.7))
	in.Flush()
	in.Flush()
	third := <-came
	values := func(b commandlog.Batch) (text string) {
		for _, p := range b.Requests {
			for _, c := range p.Commands {
				text += fmt.Sprintf("%.1f ", c.Value)
			}
			text += p.Requester.(*asked).address + "; "
		}
		return text
	}
	for i, got := range []string{values(first), values(second), values(third)} {
		want := []string{"0.1 /engine/amp; 0.2 /engine/amp; ", "0.6 0.6 /mod/*/gain; 0.6 /engine/amp; ", "0.7 /engine/amp; "}[i]
		if got != want {
			t.Errorf("batch %d: %s, not %s", i, got, want)
		}
	}
	if len(came) != 0 {
		t.Error("something comes twice")
	}
}

// A time tag that comes while what plays is held up is known to be later by so much at the least; when it is where it should be it is not.
func TestIntakeWhileHeldUp(t *testing.T) {
	in, came, from := intakeOf(t)
	line := osc.NewTimeline(48000)
	in.desk.timeline = line
	now := moment()
	last := now.Mono - 1e8 // a tenth of a second ago frame 4800 was the next, and has been since
	for i := range int64(100) {
		line.Observe(last-(99-i)*1e6, last-(100-i)*1e6, uint64(i+1)*48)
	}
	for _, tt := range []struct {
		tag         uint64
		moves       bool
		least, most int64
	}{
		{osc.Tag(now.Wall + 5e8), false, 4700, 48000},
		{osc.Tag(now.Wall - 5e8), false, 4700, 48000},
		{osc.Immediately, false, 0, 0},
		{osc.Tag(now.Wall + 5e8), true, 0, 0},
	} {
		in.desk.clock = func() uint64 {
			if tt.moves {
				return uint64(4800 + (moment().Mono-last)*48/1e6)
			}
			return 4800
		}
		in.takes(t, from, bundled(t, tt.tag, encoded(t, "/engine/amp", 1)))
		if b := <-came; b.Behind < tt.least || b.Behind > tt.most || b.Requests[0].Timed == (tt.tag == osc.Immediately) {
			t.Errorf("%+v: %d behind", tt, b.Behind)
		}
	}
}

// What is more than playing takes a token from another machine, by its own address; patterns do not reach it.
func TestIntakeGuards(t *testing.T) {
	in, came, near := intakeOf(t)
	other := in.desk.server.Peer(netip.MustParseAddrPort("192.0.2.1:9"))
	ask := func(from server.Peer, address string) (err error) {
		in.known = in.desk.directory.Load()
		in.patterns.Reset()
		var d osc.Decoder
		d.Decode(encoded(t, address, true), func(m *osc.Message) { err = in.take(m, from) }, func(e *osc.DecodeError) { t.Error(e) })
		return err
	}
	if err := ask(other, "/engine/load"); !errors.Is(err, errGuarded) {
		t.Errorf("from elsewhere: %v", err)
	}
	if err := ask(other, "/gate/adsr1"); err != nil {
		t.Errorf("a gate from elsewhere: %v", err)
	}
	if err := ask(near, "/engine/load"); err != nil {
		t.Errorf("from here: %v", err)
	}
	if err := ask(near, "/engine/loa?"); err == nil || !strings.Contains(err.Error(), "matches no address") {
		t.Errorf("by pattern: %v", err)
	}
	in.End(near)
	in.Flush()
	if b := <-came; len(b.Requests) != 2 {
		t.Errorf("%d messages entered", len(b.Requests))
	}
}

// More messages than Conductor has room for are refused, and counted, by UDP at once; none waits for ever.
func TestIntakeIsBounded(t *testing.T) {
	in, came, from := intakeOf(t)
	in.desk.inFlight.Store(inFlightMost - 1)
	two := bundled(t, osc.Immediately, encoded(t, "/engine/amp", 1), encoded(t, "/engine/amp", 0))
	in.takes(t, from, two)
	in.takes(t, from, encoded(t, "/engine/amp", 1))
	if b := <-came; len(b.Requests) != 1 || in.desk.dropped.Load() != 2 || in.desk.server.Stats().Failed != 2 {
		t.Errorf("%d entered, %d dropped, %d refused", len(b.Requests), in.desk.dropped.Load(), in.desk.server.Stats().Failed)
	}
	if got := in.desk.inFlight.Load(); got != inFlightMost {
		t.Errorf("%d in flight", got)
	}
}

// The delays are counted by powers of two of a microsecond; none falls out.
func TestDelays(t *testing.T) {
	var d delays
	for _, took := range []time.Duration{-1, 0, 999, time.Microsecond, 2 * time.Microsecond, 3999, time.Millisecond, time.Hour} {
		d.note(took)
	}
	want := make([]uint64, delayBuckets)
	want[0], want[1], want[2], want[10], want[delayBuckets-1] = 3, 1, 2, 1, 1
	if got := d.counts(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}
