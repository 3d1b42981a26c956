package actors

import (
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
)

// noOSC as the address of Config.OSC means not to listen.
const noOSC = "none"

// desk is what OSCIngress works with: the socket, open over every restart of the actor so that
// no packet is lost, and the addresses.
type desk struct {
	addresses *Addresses
	server    *osc.Server // nil: none
}

func newDesk(address string, plan *patch.Plan) (*desk, error) {
	a, err := NewAddresses(plan)
	if err != nil {
		return nil, err
	}
	d := &desk{addresses: a}
	if address != noOSC {
		d.server, err = osc.Listen(address)
	}
	return d, err
}

func (d *desk) close() {
	if d.server != nil {
		_ = d.server.Close()
	}
}

// describe adds to a status what the desk knows.
func (d *desk) describe(st *Status) {
	st.OSC = noOSC
	if d.server != nil {
		st.OSC = d.server.Addr().String()
		s := d.server.Stats()
		st.OSCStats = &s
	}
}
