package frontend

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/osc"
)

// Without room a query is refused too: /synced would claim that the messages before it have
// entered.
func TestRefusedIsNotSynced(t *testing.T) {
	h, e, _ := handlerOf(t)
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(h.f.server.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	from := h.f.server.Peer(c.LocalAddr().(*net.UDPAddr).AddrPort())
	h.f.inFlight.Store(maxInFlight)
	for _, packet := range [][]byte{encoded(t, "/sync", 7), encoded(t, "/get", "/engine/amp"), encoded(t, "/patch/list")} {
		h.readPacket(t, from, packet)
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
	if n := h.f.inFlight.Load(); n != maxInFlight || h.f.dropped.Load() != 3 || len(e.batches) != 0 || h.f.requestsInFlight.Load() != 0 {
		t.Errorf("%d in flight, %d dropped, %d came, %d asked", n, h.f.dropped.Load(), len(e.batches), h.f.requestsInFlight.Load())
	}
}

// A patch command comes after the commands that the same sender has sent before, in one read or in
// one packet: /patch/save saves what was set.
func TestEditsComeAfterCommands(t *testing.T) {
	h, e, from := handlerOf(t)
	for _, packet := range [][]byte{
		encoded(t, "/engine/amp", 0.1), encoded(t, "/patch/save", "x"),
		bundled(t, osc.Immediately, encoded(t, "/engine/amp", 0.2), encoded(t, "/patch/commit")), encoded(t, "/engine/amp", 0.3), encoded(t, "/sync", 7),
	} {
		h.packet(t, from, packet)
	}
	h.Flush()
	got := ""
	for range 5 {
		for _, r := range (<-e.batches).Requests {
			if len(r.Commands) > 0 {
				got += fmt.Sprintf("%.1f ", r.Commands[0].Value)
			}
			r.Requester.Answer(nil)
			for len(e.edits) > 0 {
				switch m := (<-e.edits).(type) {
				case drafts.Request:
					got += m.Command.Address() + " "
				case func():
					got += "then synced "
				}
			}
		}
	}
	if got != "0.1 /patch/save 0.2 /patch/commit 0.3 then synced " {
		t.Errorf("%s", got)
	}
	if n := h.f.cfg.Drafts.InFlight(); n != 3 {
		t.Errorf("%d are on their way", n)
	}
}

// If one batch panics, the other batches of its read enter and are counted; then Enter panics.
func TestPanicEntersTheOthers(t *testing.T) {
	f := frontendOf(t, valuePatch)
	f.inFlight.Store(9)
	b := Batches{f: f, list: []commandlog.Batch{{Requests: make([]commandlog.Request, 1)}, {Requests: make([]commandlog.Request, 2)}, {Requests: make([]commandlog.Request, 3)}}}
	entered := 0
	func() {
		defer func() {
			if v := recover(); v != "the second" {
				t.Errorf("it ended with %v", v)
			}
		}()
		b.Enter(func(b commandlog.Batch) bool {
			if entered++; len(b.Requests) == 2 {
				panic("the second")
			}
			return true
		})
	}()
	counted := uint64(0)
	for _, n := range f.latencies.counts() {
		counted += n
	}
	if entered != 3 || f.inFlight.Load() != 3 || counted != 2 {
		t.Errorf("%d entered, %d on their way, %d counted", entered, f.inFlight.Load(), counted)
	}
}
