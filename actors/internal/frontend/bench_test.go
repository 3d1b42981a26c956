package frontend

import (
	"net/netip"
	"testing"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
)

// forgettingEngine drops what a Frontend passes on.
type forgettingEngine struct {
	*fakeEngine
	f *Frontend
}

func (e forgettingEngine) Enter(b Batches) { e.f.inFlight.Store(0) }

// flood returns a function that handles one read of 32 packets.
func flood(tb testing.TB) func() {
	tb.Helper()
	p, err := patch.Parse("default", patch.Default())
	if err != nil {
		tb.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		tb.Fatal(err)
	}
	f, err := New(Config{OSC: "127.0.0.1:0", Frame: func() uint64 { return 0 }}, plan)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(f.Close)
	from := f.server.Peer(netip.MustParseAddrPort("127.0.0.1:9"))
	h := &handler{f: f, engine: forgettingEngine{f: f}}
	packet, err := osc.Encode("/mod/filter1/cutoff", float32(440))
	if err != nil {
		tb.Fatal(err)
	}
	var d osc.Decoder
	take := func(m *osc.Message) { h.Take(m, from) }
	wrong := func(e *osc.DecodeError) { tb.Error(e) }
	return func() {
		for range 32 {
			d.Decode(packet, take, wrong)
			h.End(from)
		}
		h.Flush()
	}
}

// A read of 32 packets costs four allocations: the copies that are passed on.
func TestHandlerAllocs(t *testing.T) {
	if n := testing.AllocsPerRun(100, flood(t)); n > 4 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHandler(b *testing.B) {
	read := flood(b)
	b.ReportAllocs()
	for b.Loop() {
		read()
	}
}
