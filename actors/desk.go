package actors

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
	"github.com/music-chronus/chronus/osc/query"
	"github.com/music-chronus/chronus/osc/server"
)

// noOSC as the address of Config.OSC means not to listen.
const noOSC = "none"

// desk is what OSCIngress works with: the socket, open over every restart of the actor so that
// no packet is lost, and the addresses.
type desk struct {
	directory atomic.Pointer[directory]
	clock     func() uint64  // the next frame to play
	server    *server.Server // nil: none
	timeline  *osc.Timeline  // set before the server serves
	inFlight  atomic.Int64   // messages on their way to Conductor
	dropped   atomic.Uint64
	delays    delays
	drafts    drafts
	feed      *feed.Feed
	asks      atomic.Int64 // requests on their way to Monitor
	load      workload
	query     *query.Server    // nil: none
	announcer *query.Announcer // nil: none
	ending    sync.RWMutex     // of ended: after it there is no clock
	ended     bool
}

// directory is the addresses of one plan, by its number, and what they were last set to. It implements feed.Values.
type directory struct {
	*Addresses
	*values
	plan   uint64
	before *directory // that it followed; nil: none that can be gone back to
}

func newDesk(address string, access server.Access, plan *patch.Plan) (d *desk, err error) {
	d = &desk{clock: func() uint64 { return 0 }}
	if err = d.replan(&planned{plan: plan}); err != nil {
		return nil, err
	}
	d.feed = feed.New(func() feed.Values { return d.view() })
	if address != noOSC {
		d.server, err = server.Listen(address, access)
	}
	return d, err
}

// view is what the addresses have now.
func (d *desk) view() *directory {
	known := d.directory.Load()
	d.ending.RLock()
	defer d.ending.RUnlock()
	if !d.ended {
		known.settle(d.clock())
	}
	return known
}

// Space implements feed.Values.
func (d *directory) Space() *osc.Space { return d.space }

// Value implements feed.Values.
func (d *directory) Value(entry int) (v float64, stamp uint64, ok bool) {
	if c := d.commands[entry]; c.Op != 0 && d.space.Entries()[entry].HasValue() {
		to := d.cell(c.Op, c.Node, c.Param)
		return math.Float64frombits(to.bits.Load()), to.stamp.Load(), true
	}
	return 0, 0, false
}

func (d *desk) close() {
	if d.announcer != nil {
		d.announcer.Close()
	}
	if d.query != nil {
		d.query.Close()
	}
	if d.feed != nil {
		d.feed.Close()
	}
	if d.server != nil {
		_ = d.server.Close()
	}
	d.ending.Lock()
	defer d.ending.Unlock()
	d.ended = true
}

// lose: the actors have ended, and what was on its way to them is gone.
func (d *desk) lose() {
	d.inFlight.Store(0)
	d.asks.Store(0)
	d.drafts.onWay.Store(0)
}

// describe adds to a status what the desk knows.
func (d *desk) describe(st *Status) {
	st.OSC = noOSC
	if d.query != nil {
		st.OSCQuery = d.query.Addr().String()
	}
	if d.server != nil {
		st.OSC = d.server.Addr().String()
		s := d.server.Stats()
		s.Dropped = d.dropped.Load()
		st.OSCStats, st.OSCDelays = &s, d.delays.counts()
	}
}
