package resources

import (
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/wire"
)

// workerObserver implements replica.Observer. It passes each call on to the Listener and the
// Frontend, and never waits: the Set is locked.
type workerObserver struct{ r *Resources }

func (o workerObserver) Event(ev report.Event)        { o.r.listener.Event(ev) }
func (o workerObserver) Playing()                     { o.r.listener.Playing() }
func (o workerObserver) WorkerEnded(x replica.Exit)   { o.r.listener.WorkerEnded(x) }
func (o workerObserver) CommandEntered(c shm.Command) { o.r.Frontend.Record(c) }
func (o workerObserver) CommandLeftOut(c shm.Command) { o.r.Frontend.Undo(c) }
func (o workerObserver) Processes(pids []int)         { o.r.processes.SetWorkers(pids) }

// PlanChanged implements replica.Observer: it makes the addresses those of the plan.
func (o workerObserver) PlanChanged(v *plans.Version) {
	_ = o.r.Frontend.ChangePlan(space.Change{Number: v.Number, Plan: v.Plan, Follows: v.Previous, Command: v.Seq != 0})
}

// audioObserver implements output.Observer.
type audioObserver struct{ r *Resources }

func (o audioObserver) Event(ev report.Event) { o.r.listener.Event(ev) }
func (o audioObserver) Processes(pids []int)  { o.r.processes.SetAudio(pids) }
func (o audioObserver) Ended(x output.Exit)   { o.r.listener.AudioEnded(x) }

// Notice implements output.Observer. A process that was taken over may send a notice before the Set
// exists.
func (o audioObserver) Notice(generation uint64, n wire.Notice) {
	<-o.r.prepared
	o.r.Set.HandleNotice(generation, n)
}
