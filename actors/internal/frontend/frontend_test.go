package frontend

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
)

// fakeEngine queues what a Frontend passes on.
type fakeEngine struct {
	batches  chan commandlog.Batch
	requests chan any // statusRequest, or func() of Later
	edits    chan any // drafts.Request, or func() of AfterEdits
}

type statusRequest struct {
	answer func(report.Status)
	done   func()
}

func newFakeEngine() *fakeEngine {
	return &fakeEngine{make(chan commandlog.Batch, 10), make(chan any, 2*drafts.MaxInFlight), make(chan any, 10)}
}

func (e *fakeEngine) Enter(b Batches) {
	for _, batch := range b.list {
		e.batches <- batch
	}
}

func (e *fakeEngine) Status(answer func(report.Status), done func()) {
	e.requests <- statusRequest{answer, done}
}

func (e *fakeEngine) Later(do func())       { e.requests <- do }
func (e *fakeEngine) Edit(r drafts.Request) { e.edits <- r }
func (e *fakeEngine) AfterEdits(do func())  { e.edits <- do }

const valuePatch = `version: 1
nodes:
  - {id: a, type: sine, params: {freq: 300}}
  - {id: b, type: sine}
  - {id: e, type: adsr}
  - {id: f, type: biquad, params: {mode: hp}}
cables: [a > e > f > out, b > out]
`

func planOf(t *testing.T, text string) *patch.Plan {
	t.Helper()
	p, err := patch.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// frontendOf returns a Frontend with a socket and the addresses of a patch.
func frontendOf(t *testing.T, text string, change ...func(*Config)) *Frontend {
	t.Helper()
	cfg := Config{
		OSC: "127.0.0.1:0", OSCQuery: None, Logger: slog.New(slog.DiscardHandler), Drafts: drafts.NewStore(drafts.Config{}, nil),
		Frame: func() uint64 { return 0 }, Refusal: func(err error) error { return err }, Load: func(int, time.Time) (mean, peak float64) { return 0, 0 },
	}
	for _, c := range change {
		c(&cfg)
	}
	f, err := New(cfg, planOf(t, text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// handlerOf returns a handler of the default patch's addresses, its engine, and a peer on this
// machine.
func handlerOf(t *testing.T) (*handler, *fakeEngine, server.Peer) {
	t.Helper()
	f, engine := frontendOf(t, string(patch.Default())), newFakeEngine()
	return &handler{f: f, engine: engine}, engine, f.server.Peer(netip.MustParseAddrPort("127.0.0.1:9"))
}

// packet handles one packet.
func (h *handler) packet(t *testing.T, from server.Peer, packet []byte) {
	t.Helper()
	var d osc.Decoder
	d.Decode(packet, func(m *osc.Message) { h.Take(m, from) }, func(e *osc.DecodeError) { t.Error(e) })
	h.End(from)
}

// readPacket handles one packet that is read alone.
func (h *handler) readPacket(t *testing.T, from server.Peer, packet []byte) {
	t.Helper()
	h.packet(t, from, packet)
	h.Flush()
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
