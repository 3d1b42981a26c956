package server

import (
	"testing"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// After each killer the server answers the next request, over each transport. It counts the
// messages and faults of the killer, and its answers are small.
func TestServerSurvivesKillers(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			s, _ := serve(t, answers(osctest.Space(t)))
			c := connect(t, s, transport)
			d := osc.Decoder{Most: osc.MaxStream}
			for _, k := range osctest.Killers(t) {
				switch {
				case transport == "udp" && len(k.Packet) > osc.MaxPacket:
					continue // the kernel refuses it
				case len(k.Packet) > osc.MaxStream: // the connection ends
					_ = c.write(k.Packet)
					for c.receive(patience) != nil {
					}
					c = connect(t, s, transport)
					continue
				case transport != "udp" && len(k.Packet) > osc.MaxPacket: // connections allow larger packets
					k.Messages, k.Faults = 0, 0
					d.Decode(k.Packet, func(*osc.Message) { k.Messages++ }, func(*osc.DecodeError) { k.Faults++ })
				case transport == "tcp slip" && len(k.Packet) == 0:
					k.Faults = 0 // SLIP has no empty packets
				}
				survive(t, s, c, k)
			}
		})
	}
}

func survive(t *testing.T, s *Server, c *client, k osctest.Killer) {
	t.Helper()
	before := s.Stats()
	c.send(k.Packet)
	c.send(osctest.Encode(t, "/engine/status"))
	for answered := false; !answered; {
		p := c.receive(patience)
		if p == nil {
			t.Fatalf("%s: no answer", k.Name)
		}
		if len(p) > 572 {
			t.Errorf("%s is answered with %d bytes", k.Name, len(p))
		}
		got, _ := osctest.Seen(p)
		answered = len(got) == 1 && got[0] == `/done "/engine/status"`
	}
	after := s.Stats()
	if n := after.Messages - before.Messages; n != uint64(k.Messages)+1 {
		t.Errorf("%s: %d messages, not %d", k.Name, n-1, k.Messages)
	}
	if n := sum(after.Malformed) - sum(before.Malformed); n != uint64(k.Faults) {
		t.Errorf("%s: %d faults, not %d", k.Name, n, k.Faults)
	}
}

func sum(counts map[string]uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}
