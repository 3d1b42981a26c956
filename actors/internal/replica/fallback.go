package replica

import (
	"github.com/music-chronus/chronus/actors/internal/recorder"
	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// fallBack replaces the patch that plays by the best other one, or by silence. The rejected patch
// is never loaded again. Every worker has ended.
func (r *Set) fallBack(why string) {
	was := r.plans.Current()
	r.plans.Reject(was.Text)
	for {
		name, text, ok := r.plans.Fallback()
		if !ok {
			break
		}
		if err := r.install(name, text); err != nil {
			r.plans.Reject(text)
			continue
		}
		r.life.fallback = why
		r.obs.Event(report.PatchAbandoned{From: was.Name, To: name, Reason: why})
		return
	}
	r.life.silent = why
	r.obs.Event(report.PatchAbandoned{From: was.Name, To: "silence", Reason: why})
}

// install makes every worker begin with another patch, at the first block that no worker has
// published.
func (r *Set) install(name string, text []byte) error {
	plan, err := r.plans.Compile(name, text)
	if err != nil {
		return err
	}
	r.log.Trim(r.log.Last()) // no worker begins before it, so that no plan that it names is needed
	v, err := r.addPlan(name, text, plan)
	if err != nil {
		return err
	}
	at := shm.State{Block: max(r.mem.Control.Clock(), r.fault.Head()), Seq: r.log.Last(), Plan: v.Number}
	r.checkpoint.last.Text, r.checkpoint.last.State = text, at
	r.checkpoint.request = slots.SnapshotRequest{}
	r.restarts = append(r.restarts, recorder.Restart{Text: text, At: at})
	for _, s := range r.slots {
		s.Begin = slots.SnapshotRequest{State: at, Done: true}
		if s.Phase == slots.Starting {
			r.condemn(s, "its patch was abandoned")
		}
	}
	r.fault.Reset()
	r.setCurrent(v)
	return r.mem.Checkpoints.Put(r.checkpoint.last)
}

// restartPlan plays the current patch from its beginning: no worker has its state, and commands
// since the checkpoint are gone.
func (r *Set) restartPlan() {
	const why = "no worker was left, and commands since the kept snapshot were gone"
	v := r.plans.Current()
	if err := r.install(v.Name, v.Text); err != nil {
		r.fallBack(why)
		return
	}
	r.life.fallback = why
	r.obs.Event(report.PatchAbandoned{From: v.Name, To: v.Name + " from its beginning", Reason: why})
}

// Abandon kills every worker and abandons the patch, as if the patch had crashed them again and
// again. Tests call it.
func (r *Set) Abandon(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.slots {
		if s.Fed() {
			r.condemn(s, why)
		}
	}
	r.fault.Exhaust()
}
