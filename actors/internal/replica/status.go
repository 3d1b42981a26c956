package replica

import (
	"os"

	"github.com/music-chronus/chronus/actors/internal/meter"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// Status returns the state of the workers and of the device.
func (r *Set) Status() report.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.closed {
		return report.Status{PID: os.Getpid()}
	}
	ctl, g := r.mem.Control, r.mem.Geometry
	a, clock, c := ctl.Active(), ctl.Clock(), ctl.Counters()
	for range 10 { // read the counters between two callbacks
		again := ctl.Clock()
		if again == clock {
			break
		}
		clock, c = again, ctl.Counters()
	}
	st := report.Status{
		PID: os.Getpid(), Patch: r.plans.Current().Name, FallbackReason: r.life.fallback, StoppedReason: r.life.silent,
		Playing: ctl.Transport() == shm.Play && r.out.Open(),
		Active:  report.ActiveStatus{Slot: a.Slot(), Epoch: a.Epoch()}, Clock: clock,
		Committed: ctl.Committed(), Redundant: r.redundant(),
		Totals: r.failovers.Totals(c, r.diverged), Failovers: r.failovers.List(),
		LeadStatus: report.LeadStatus{Lead: ctl.Lead(), Guard: int(g.Guard)}, OutputStatus: r.out.Status(),
	}
	st.LatencyMS, st.LeadReason = meter.Latency(st.Lead, g), meter.LeadReason(ctl.View, g)
	sound := r.mem.Journal.Status(a.Slot()).Sound
	st.Sound = report.Sound{
		Faults: sound.Faults, FaultNode: sound.FaultNode, Limited: sound.Limited, Offset: sound.Offset,
	}
	reading := r.meter.Read()
	st.PlayStatus = reading.PlayStatus
	for _, s := range r.slots {
		w := s.Status(r.mem, a, clock)
		w.Load = reading.Load(w.PID)
		st.Workers = append(st.Workers, w)
	}
	return st
}

// Redundant reports whether every worker is ready.
func (r *Set) Redundant() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.redundant()
}

// redundant is Redundant with the lock held. A worker that Kill has sent a signal to does not count
// as ready, nor does one that is further behind than lockstep explains.
func (r *Set) redundant() bool {
	if r.life.closed {
		return false
	}
	return r.slots.InLockstep(r.mem.Journal, uint64(r.out.Period()/int(r.mem.Geometry.Block)+3))
}
