//go:build sim

package replica

import (
	"time"

	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/wire"
)

// output is the engine's side of the audio process, without the process.
func (w *simWorld) output(mem memory.Memory) output.Sim {
	p := output.New(output.Config{
		MinLead: w.lead, LeadFor: func(period int) int { return leadFor(mem.Geometry, period) },
		Preferred: wire.Target{Backend: output.AutoBackend}, Rate: int(mem.Geometry.Rate), Channels: int(mem.Geometry.Channels),
		Timeouts: timing.Default(),
	}, mem)
	p.SetObserver(simObserver{w})
	sim := output.Sim{Process: p}
	sim.NoSpare()
	return sim
}

// locked fails the run unless the Set is locked. Lock order is Set, then Output. A call of Output
// without the Set's lock could take the two in the other order.
func (w *simWorld) locked(what string) {
	if w.set != nil && !w.adopting && w.set.mu.TryLock() {
		w.set.mu.Unlock()
		w.fail("%s without the lock of the Set", what)
	}
}

// simOutput checks the lock order of the calls that move rings and clocks.
type simOutput struct {
	output.Sim
	w *simWorld
}

func (o simOutput) Attach(s *shm.Segment) bool {
	o.w.locked("Attach")
	return o.Sim.Attach(s)
}

func (o simOutput) Tick(now time.Time, playing bool) {
	o.w.locked("Tick")
	o.Sim.Tick(now, playing)
}

func (o simOutput) Opened() {
	o.w.locked("Opened")
	o.Sim.Opened()
}

// simObserver implements Observer and output.Observer.
type simObserver struct{ w *simWorld }

func (o simObserver) Event(e report.Event)     { o.w.told(e) }
func (simObserver) WorkerEnded(Exit)           {}
func (simObserver) Playing()                   {}
func (simObserver) PlanChanged(*plans.Version) {}
func (simObserver) CommandEntered(shm.Command) {}
func (simObserver) CommandLeftOut(shm.Command) {}
func (simObserver) Processes([]int)            {}
func (simObserver) Ended(output.Exit)          {}
func (simObserver) Notice(uint64, wire.Notice) {}
