package server

import (
	"testing"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// After each of the packets the server answers the next request, whatever both come over; it has
// seen all that the packet holds, and answered no more than it may.
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
				case len(k.Packet) > osc.MaxStream: // its connection ends; there are others
					_ = c.write(k.Packet)
					for c.receive(patience) != nil {
					}
					c = connect(t, s, transport)
					continue
				case transport != "udp" && len(k.Packet) > osc.MaxPacket: // it may be longer here
					k.Messages, k.Faults = 0, 0
					d.Decode(k.Packet, func(*osc.Message) { k.Messages++ }, func(*osc.DecodeError) { k.Faults++ })
				case transport == "tcp slip" && len(k.Packet) == 0:
					k.Faults = 0 // it does not exist
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
