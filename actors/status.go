package actors

import (
	"os"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// The values of package report that appear in signatures of this package.
type (
	// Event is something that happened. Package report has all kinds.
	Event = report.Event
	// Status describes an engine at one moment.
	Status = report.Status
	// Commit is a patch change that was carried out.
	Commit = report.Commit
	// WorkerStatus describes one slot.
	WorkerStatus = report.WorkerStatus
	// Failover is one loss of a worker, from its end to full redundancy.
	Failover = report.Failover
	// Killed is a worker process that Engine.Kill sent a signal to.
	Killed = report.Killed
)

// status collects the Status, without the parts that only the monitor knows.
func (r *rig) status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return Status{PID: os.Getpid()}
	}
	a, clock, c := r.control.Active(), r.control.Clock(), r.control.Counters()
	for range 10 { // read the counters between two callbacks
		again := r.control.Clock()
		if again == clock {
			break
		}
		clock, c = again, r.control.Counters()
	}
	st := Status{
		PID: os.Getpid(), Patch: r.present.name, FallbackReason: r.stepped, StoppedReason: r.silent,
		Playing: r.control.Transport() == shm.Play && r.audio.opened,
		Active:  report.ActiveStatus{Slot: a.Slot(), Epoch: a.Epoch()}, Clock: clock,
		Committed: r.control.Committed(), Redundant: r.whole(),
		Totals: r.totals(c), Failovers: r.history.list(),
		LeadStatus: report.LeadStatus{Lead: r.control.Lead(), Guard: r.cfg.Guard}, OutputStatus: r.outputStatus(),
	}
	st.LatencyMS, st.LeadReason = latency(st.Lead, r.geo), leadReason(r.control.View, r.geo)
	sound := r.journal.Status(a.Slot()).Sound
	st.Sound = report.Sound{
		Faults: sound.Faults, FaultNode: sound.FaultNode, Limited: sound.Limited, Offset: sound.Offset,
	}
	for _, s := range r.slots {
		w := report.WorkerStatus{
			Slot: s.number, Generation: s.gen, State: s.phase.String(), Ready: a.Ready(s.number),
			Published: r.journal.Published(s.number),
		}
		w.Lead = int64(w.Published) - int64(clock)
		if s.phase != empty {
			w.PID = s.proc.PID
		}
		st.Workers = append(st.Workers, w)
	}
	r.meter.describe(&st)
	return st
}

// totals adds the engine's own counters to those of the audio process.
func (r *rig) totals(c shm.Counters) report.Totals {
	return report.Totals{
		Callbacks: c.Callbacks, Played: c.Played, Rescued: c.Rescued, Concealed: c.Concealed,
		Flips: r.history.flips, CallbackFlips: c.Flips, Removed: c.Deposed, Xruns: c.Xruns,
		Damaged: c.Damaged, Late: c.Late, Overruns: c.Overruns,
		Mismatches: r.mismatches, FailoversTotal: r.history.count,
	}
}

// outputStatus describes the audio process and its device.
func (r *rig) outputStatus() report.OutputStatus {
	info := &r.audio.info
	out := report.OutputStatus{
		Rate: r.cfg.Rate, Block: r.cfg.Block, Channels: r.cfg.Channels, Period: info.Period,
		Backend: info.Backend, Device: info.Device, Preferred: r.preferred().String(),
		OnFallback: info.OnFallback, Problem: r.audio.trouble, Unheard: r.blank(),
		Note: info.Note, Path: info.Path, Advice: info.Advice,
	}
	if r.audio.running {
		out.AudioPID = r.audio.proc.PID
	}
	if r.wiring != nil {
		out.Wiring = r.wiring.Ports
	}
	return out
}

// redundant reports whether every replica is ready.
func (r *rig) redundant() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.whole()
}

// whole is redundant with the lock held. A worker that Kill has sent a signal to does not count as
// ready, nor does one that is further behind than lockstep explains.
func (r *rig) whole() bool {
	if r.closed {
		return false
	}
	top := uint64(0)
	for _, s := range r.slots {
		if s.phase != ready || s.killedAt != 0 || s.dying || s.condemned {
			return false
		}
		top = max(top, r.journal.Published(s.number))
	}
	behind := uint64(r.audio.info.Period/r.cfg.Block + 3)
	for _, s := range r.slots {
		if r.journal.Published(s.number)+behind < top {
			return false
		}
	}
	return true
}
