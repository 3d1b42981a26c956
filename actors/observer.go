package actors

import (
	"fmt"

	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/wire"
)

// workerObserver implements replica.Observer: it passes on to the actors and to the frontend. It
// only hands on, since it is called with the Set locked, and on the watcher's goroutine.
type workerObserver struct{ e *Engine }

func (o workerObserver) Event(ev report.Event)        { o.e.emit(ev) }
func (o workerObserver) Playing()                     { o.e.finishStart(nil) }
func (o workerObserver) CommandEntered(c shm.Command) { o.e.frontend.Record(c) }
func (o workerObserver) CommandLeftOut(c shm.Command) { o.e.frontend.Undo(c) }
func (o workerObserver) Processes(pids []int)         { o.e.processes.SetWorkers(pids) }

// WorkerEnded implements replica.Observer.
func (o workerObserver) WorkerEnded(x replica.Exit) {
	o.e.send(fmt.Sprint(workerName, x.Slot), workerEnded{x})
}

// PlanChanged implements replica.Observer: it makes the addresses those of the plan.
func (o workerObserver) PlanChanged(v *plans.Version) {
	_ = o.e.frontend.ChangePlan(space.Change{Number: v.Number, Plan: v.Plan, Follows: v.Previous, Command: v.Seq != 0})
}

// audioObserver implements output.Observer.
type audioObserver struct{ e *Engine }

func (o audioObserver) Event(ev report.Event) { o.e.emit(ev) }
func (o audioObserver) Processes(pids []int)  { o.e.processes.SetAudio(pids) }
func (o audioObserver) Ended(x output.Exit)   { o.e.send(audioName, audioEnded{x}) }

// Notice implements output.Observer. A process that was taken over may speak before the Set is
// there.
func (o audioObserver) Notice(generation uint64, n wire.Notice) {
	<-o.e.prepared
	o.e.set.HandleNotice(generation, n)
}
