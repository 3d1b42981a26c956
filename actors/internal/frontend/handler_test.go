package frontend

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm"
)

// A packet becomes one batch. Each message that is not refused gives a request with its commands,
// which have the frame of its time tag. The batch holds nothing of the packet before.
func TestPacketIsABatch(t *testing.T) {
	h, e, from := handlerOf(t)
	if err := h.f.ChangePlan(space.Change{Number: 7, Plan: h.f.View().Routes().Plan()}); err != nil {
		t.Fatal(err)
	}
	line := osc.NewTimeline(48000)
	h.f.timeline = line
	now := readClocks()
	for i := range int64(100) {
		at := now.Mono - (100-i)*1e9*64/48000
		line.Observe(at, at-1e6, uint64(100+i)*64)
	}
	far := osc.Tag(now.Wall + 1e9)
	h.readPacket(t, from, bundled(t, osc.Immediately,
		encoded(t, "/engine/freq", float32(300)), encoded(t, "/engine/freq", "high"), encoded(t, "/mod/*/gain", 0.5),
		bundled(t, far, encoded(t, "/gate/adsr1", "on"), encoded(t, "/engine/amp", 1)), bundled(t, osc.Tag(now.Wall-1e9*10), encoded(t, "/engine/amp", 0)),
		bundled(t, osc.Tag(now.Wall+61e9), encoded(t, "/engine/amp", 0)), encoded(t, "/nothing"),
	))
	b := <-e.batches
	var counts []int
	for _, p := range b.Requests {
		counts = append(counts, len(p.Commands))
	}
	if fmt.Sprint(counts) != "[1 2 1 1 1]" || b.Plan != 7 || h.f.inFlight.Load() != 5 {
		t.Fatalf("commands of the messages: %v; plan %d, %d in flight", counts, b.Plan, h.f.inFlight.Load())
	}
	on, amp, late := b.Requests[2], b.Requests[3], b.Requests[4]
	if want := 200*64 + 48000.0; on.Due != amp.Due || !on.Timed || on.Commands[0].Frame != uint64(on.Due) || float64(on.Due) < want-2000 || float64(on.Due) > want+20000 {
		t.Errorf("in a second: frame %d and %d, about %.0f", on.Due, amp.Due, want)
	}
	if late.Commands[0].Frame != 1 || late.Due >= 0 || b.Requests[0].Timed || b.Requests[0].Commands[0].Frame != 0 {
		t.Errorf("ten seconds ago: frame %d for %d; at once: %d", late.Commands[0].Frame, late.Due, b.Requests[0].Commands[0].Frame)
	}
	h.f.release(len(b.Requests))
	if n := h.f.inFlight.Load(); n != 0 {
		t.Errorf("%d in flight", n)
	}
	h.readPacket(t, from, encoded(t, "/engine/freq", "high")) // refused: no batch
	h.readPacket(t, from, encoded(t, "/gate/adsr1", "off"))
	if b := <-e.batches; len(b.Requests) != 1 || len(b.Requests[0].Commands) != 1 || b.Requests[0].Commands[0].Op != shm.OpGate {
		t.Errorf("the packet after: %+v", b.Requests)
	}
	if st := h.f.server.Stats(); st.Failed != 4 {
		t.Errorf("%d refused", st.Failed)
	}
}

// The packets of one read are passed on together, in order. A packet that is refused for lack of
// room leaves nothing in the other packets, and a read leaves nothing in the next one.
func TestReadsAreGathered(t *testing.T) {
	h, e, from := handlerOf(t)
	packet := func(list ...[]byte) { h.packet(t, from, bundled(t, osc.Immediately, list...)) }
	amp := func(v float32) []byte { return encoded(t, "/engine/amp", v) }
	packet(amp(0.1), amp(0.2))
	packet(encoded(t, "/nothing"))
	h.f.inFlight.Store(maxInFlight - 2)
	packet(amp(0.3), amp(0.4), amp(0.5))
	packet(encoded(t, "/mod/*/gain", 0.6), amp(0.6))
	if h.f.dropped.Load() != 3 || h.f.server.Stats().Failed != 4 {
		t.Errorf("%d dropped, %d refused", h.f.dropped.Load(), h.f.server.Stats().Failed)
	}
	h.Flush()
	first, second := <-e.batches, <-e.batches
	h.f.inFlight.Store(0)
	packet(amp(0.7))
	h.Flush()
	h.Flush()
	third := <-e.batches
	values := func(b commandlog.Batch) (text string) {
		for _, p := range b.Requests {
			for _, c := range p.Commands {
				text += fmt.Sprintf("%.1f ", c.Value)
			}
			text += p.Requester.(*pendingMessage).address + "; "
		}
		return text
	}
	for i, got := range []string{values(first), values(second), values(third)} {
		want := []string{"0.1 /engine/amp; 0.2 /engine/amp; ", "0.6 0.6 /mod/*/gain; 0.6 /engine/amp; ", "0.7 /engine/amp; "}[i]
		if got != want {
			t.Errorf("batch %d: %s, not %s", i, got, want)
		}
	}
	if len(e.batches) != 0 {
		t.Error("something comes twice")
	}
}

// While the sound is behind the timeline, a batch with time tags says by how much.
func TestTimeTagsWhileHeldUp(t *testing.T) {
	h, e, from := handlerOf(t)
	line := osc.NewTimeline(48000)
	h.f.timeline = line
	now := readClocks()
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
		h.f.cfg.Frame = func() uint64 {
			if tt.moves {
				return uint64(4800 + (readClocks().Mono-last)*48/1e6)
			}
			return 4800
		}
		h.readPacket(t, from, bundled(t, tt.tag, encoded(t, "/engine/amp", 1)))
		if b := <-e.batches; b.Behind < tt.least || b.Behind > tt.most || b.Requests[0].Timed == (tt.tag == osc.Immediately) {
			t.Errorf("%+v: %d behind", tt, b.Behind)
		}
	}
}

// From another machine a patch command requires the token. Patterns do not match it.
func TestTokenIsRequired(t *testing.T) {
	h, e, near := handlerOf(t)
	other := h.f.server.Peer(netip.MustParseAddrPort("192.0.2.1:9"))
	ask := func(from server.Peer, address string, arg any) (err error) {
		h.view = h.f.tracker.View()
		h.patterns.Reset()
		var d osc.Decoder
		d.Decode(encoded(t, address, arg), func(m *osc.Message) { err = h.take(m, from) }, func(e *osc.DecodeError) { t.Error(e) })
		return err
	}
	if err := ask(other, "/patch/load", "x"); !errors.Is(err, errToken) {
		t.Errorf("from elsewhere: %v", err)
	}
	if err := ask(other, "/gate/adsr1", true); err != nil {
		t.Errorf("a gate from elsewhere: %v", err)
	}
	if err := ask(near, "/patch/load", "x"); err != nil {
		t.Errorf("from here: %v", err)
	}
	if err := ask(near, "/patch/loa?", "x"); err == nil || !strings.Contains(err.Error(), "matches no address") {
		t.Errorf("by pattern: %v", err)
	}
	h.End(near)
	h.Flush()
	if b := <-e.batches; len(b.Requests) != 2 {
		t.Errorf("%d messages entered", len(b.Requests))
	}
}

// Messages beyond maxInFlight are refused and counted. By UDP that happens at once.
func TestMessagesAreBounded(t *testing.T) {
	h, e, from := handlerOf(t)
	h.f.inFlight.Store(maxInFlight - 1)
	two := bundled(t, osc.Immediately, encoded(t, "/engine/amp", 1), encoded(t, "/engine/amp", 0))
	h.readPacket(t, from, two)
	h.readPacket(t, from, encoded(t, "/engine/amp", 1))
	if b := <-e.batches; len(b.Requests) != 1 || h.f.dropped.Load() != 2 || h.f.server.Stats().Failed != 2 {
		t.Errorf("%d entered, %d dropped, %d refused", len(b.Requests), h.f.dropped.Load(), h.f.server.Stats().Failed)
	}
	if got := h.f.inFlight.Load(); got != maxInFlight {
		t.Errorf("%d in flight", got)
	}
}

// The histogram counts by powers of two of a microsecond, and has a bucket for every duration.
func TestLatencies(t *testing.T) {
	var h latencyHistogram
	for _, took := range []time.Duration{-1, 0, 999, time.Microsecond, 2 * time.Microsecond, 3999, time.Millisecond, time.Hour} {
		h.record(took)
	}
	want := make([]uint64, latencyBuckets)
	want[0], want[1], want[2], want[10], want[latencyBuckets-1] = 3, 1, 2, 1, 1
	if got := h.counts(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}
