package replica

import (
	"time"

	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// Observer receives what happens to the workers. Unless noted, its methods are called with the Set
// locked: they must return soon, and must not call the Set.
type Observer interface {
	// Event reports something to log, and to send to clients.
	Event(report.Event)
	// WorkerEnded reports that a slot is empty. The Set is not locked.
	WorkerEnded(Exit)
	// Playing reports, once, that the engine plays. The Set is not locked.
	Playing()
	// PlanChanged reports the plan that commands are for from now on.
	PlanChanged(*plans.Version)
	// CommandEntered reports a command that has been numbered.
	CommandEntered(shm.Command)
	// CommandLeftOut reports a command that crashed a worker, and that no worker will render.
	CommandLeftOut(shm.Command)
	// Processes lists the living workers, before a new one is given anything to do.
	Processes(pids []int)
}

// Exit is the end of a worker's process.
type Exit struct {
	Slot       int
	NeverReady bool // the worker never became ready
}

// Output is what the workers know of the device. Its methods are called with the Set locked, and
// must not call the Set.
type Output interface {
	// Open reports whether a device plays, or is ready to.
	Open() bool
	// Period returns the frames that the device takes at a time.
	Period() int
	// Attach hands a worker's ring to the audio process; false: not yet.
	Attach(ring *shm.Segment) bool
	// Play lets the device play.
	Play()
	// Tick moves the audio processes on.
	Tick(now time.Time, playing bool)
	// Notice handles a notice of the audio process of a generation. If a device is open, the Set
	// attaches all rings and calls Opened. A refused ring's worker is replaced.
	Notice(generation uint64, n wire.Notice) (opened bool, refused *wire.Refused)
	// Opened starts a device once all rings are attached.
	Opened()
	// Reap handles the end of the audio process with that pidfd, if it is one. If another process
	// plays in its place, the Set attaches all rings and calls Opened.
	Reap(fd int, now time.Time) (promoted bool)
	// Processes returns the living audio processes.
	Processes() []sys.Process
	// TakeOver takes over the audio process of an engine that was lost; nil: there is none.
	TakeOver(*sys.Process)
	// Stop keeps Output from starting anything.
	Stop()
	// Status describes the device.
	Status() report.OutputStatus
}
