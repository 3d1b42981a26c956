package core

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
type workerObserver struct{ c *Core }

func (o workerObserver) Event(ev report.Event)        { o.c.listener.Event(ev) }
func (o workerObserver) Playing()                     { o.c.listener.Playing() }
func (o workerObserver) WorkerEnded(x replica.Exit)   { o.c.listener.WorkerEnded(x) }
func (o workerObserver) CommandEntered(c shm.Command) { o.c.Frontend.Record(c) }
func (o workerObserver) CommandLeftOut(c shm.Command) { o.c.Frontend.Undo(c) }
func (o workerObserver) Processes(pids []int)         { o.c.processes.SetWorkers(pids) }

// PlanChanged implements replica.Observer: it makes the addresses those of the plan.
func (o workerObserver) PlanChanged(v *plans.Version) {
	_ = o.c.Frontend.ChangePlan(space.Change{Number: v.Number, Plan: v.Plan, Follows: v.Previous, Command: v.Seq != 0})
}

// audioObserver implements output.Observer.
type audioObserver struct{ c *Core }

func (o audioObserver) Event(ev report.Event) { o.c.listener.Event(ev) }
func (o audioObserver) Processes(pids []int)  { o.c.processes.SetAudio(pids) }
func (o audioObserver) Ended(x output.Exit)   { o.c.listener.AudioEnded(x) }

// Notice implements output.Observer. A process that was taken over may send a notice before the Set
// exists.
func (o audioObserver) Notice(generation uint64, n wire.Notice) {
	<-o.c.prepared
	o.c.Set.HandleNotice(generation, n)
}
