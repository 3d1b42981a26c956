package actors

import (
	"sync/atomic"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
)

// noOSC as the address of Config.OSC means not to listen.
const noOSC = "none"

// desk is what OSCIngress works with: the socket, open over every restart of the actor so that
// no packet is lost, and the addresses.
type desk struct {
	directory atomic.Pointer[directory]
	server    *osc.Server   // nil: none
	timeline  *osc.Timeline // set before the server serves
	inFlight  atomic.Int64  // messages on their way to Conductor
	dropped   atomic.Uint64
	delays    delays
	drafts    drafts
}

// directory is the addresses of one plan, by its number.
type directory struct {
	*Addresses
	plan uint64
}

func newDesk(address string, access osc.Access, plan *patch.Plan) (d *desk, err error) {
	d = &desk{}
	if err = d.replan(plan, 0); err != nil {
		return nil, err
	}
	if address != noOSC {
		d.server, err = osc.Listen(address, access)
	}
	return d, err
}

// replan makes the addresses those of another plan.
func (d *desk) replan(plan *patch.Plan, number uint64) error {
	a, err := NewAddresses(plan)
	if err != nil {
		return err
	}
	d.directory.Store(&directory{a, number})
	return nil
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
		s.Dropped = d.dropped.Load()
		st.OSCStats, st.OSCDelays = &s, d.delays.counts()
	}
}
