package report

import (
	"fmt"
	"log/slog"
	"time"
)

// Event is something that happened in an engine. String describes the event in one line. The set of
// kinds is closed; Kinds lists them.
type Event interface {
	fmt.Stringer
	// Level is Info for what is as intended, Warn for a loss that the engine repairs, and Error
	// for what needs attention.
	Level() slog.Level
	event()
}

// The kinds of Event that concern workers.
type (
	// WorkerReady reports that a worker is in lockstep and can become active.
	WorkerReady struct {
		Slot       int
		PID        int
		Generation uint64
		Block      uint64 // first block that the worker rendered
	}
	// WorkerEnded reports that a worker's process ended, whatever the cause.
	WorkerEnded struct {
		Slot       int
		PID        int
		Generation uint64
		Cause      string
	}
	// WorkerKilled reports that the engine kills a worker.
	WorkerKilled struct {
		Slot   int
		PID    int
		Reason string
	}
	// WorkerDiverged reports that a worker's sound differs from the others'. The engine replaces
	// the worker.
	WorkerDiverged struct {
		Slot  int
		PID   int
		Block uint64
	}
	// WorkerFailed reports that a worker could not be started or given its initial state. The
	// engine tries again.
	WorkerFailed struct {
		Slot  int
		PID   int
		Err   error
		After time.Duration // until the next try
	}
	// Flipped reports that another worker became active.
	Flipped struct {
		From, To int
		Epoch    uint64
		Cause    string
	}
)

// The kinds of Event that concern the audio process and its device.
type (
	// AudioOpened reports that a device plays.
	AudioOpened struct {
		PID                    int
		Backend, Device        string
		Rate, Channels, Period int
		Note                   string
	}
	// Unheard reports that a clock without a device plays. The event repeats every minute.
	Unheard struct {
		Preferred string // requested device, as backend:device
		Reason    string
	}
	// AudioEnded reports that the audio process ended. The engine starts another.
	AudioEnded struct {
		PID   int
		Cause string
		After time.Duration // until the next try
	}
	// DeviceXrun reports xruns that the device counted.
	DeviceXrun struct{ Xruns, Total uint64 }
	// DeviceOverrun reports callbacks in which the device took more frames than the lead holds.
	DeviceOverrun struct {
		Calls, Total uint64
		Frames       int    // that the device takes at a time
		Lead         uint64 // blocks, from now on
	}
	// LeadChanged reports another length of the lead, in blocks.
	LeadChanged struct {
		From, To uint64
		Reason   string
	}
	// DeviceProblem reports that the device has a problem but keeps playing. An empty Problem
	// reports the end of the problem.
	DeviceProblem struct{ Device, Problem string }
)

// The kinds of Event that concern patches and their sound.
type (
	// PatchChanged reports that the workers play another patch.
	PatchChanged struct {
		Name   string
		Commit Commit
	}
	// PatchReverted reports that a patch change crashed workers. The previous patch plays on.
	PatchReverted struct {
		From, To string
		Commit   uint64
	}
	// Quarantined reports commands that crashed a worker and are left out. Their senders are told.
	Quarantined struct {
		Block    uint64
		Node     string // in which the worker crashed
		Commands int
		First    uint64 // Seq of the first of them
	}
	// NodeBypassed reports a node in which every worker crashed. The workers leave the node out.
	NodeBypassed struct {
		Node  string
		Block uint64
	}
	// PatchAbandoned reports that the engine replaced a patch which crashed every worker.
	PatchAbandoned struct{ From, To, Reason string }
	// NodeReset reports a node that produced NaN, infinity or a value above 1e6. Its state was
	// reset.
	NodeReset struct {
		Node  string
		Times uint64 // since the stream began
	}
	// OutputLimited reports an output above full scale, or with a steady offset. Both fields count
	// blocks since the stream began.
	OutputLimited struct{ Limited, Offset uint64 }
)

// The kinds of Event that concern the engine process.
type (
	// TookOver reports that the engine controls the processes of an engine that was lost.
	TookOver struct {
		Workers int
		Audio   bool   // whether the audio process lives too
		Block   uint64 // next block to play at that moment
	}
	// Resumed reports that the engine continues from a saved state.
	Resumed struct {
		Block uint64
		Saved time.Time
	}
	// SaveFailed reports that state for a later engine could not be written.
	SaveFailed struct {
		What string
		Err  error
	}
	// ActorFailed reports that an actor panicked. Its supervisor restarts it.
	ActorFailed struct {
		Actor  string
		Reason string
		After  time.Duration // until the restart
	}
)

// Kinds returns one zero value of each kind of Event.
func Kinds() []Event {
	return []Event{
		PatchChanged{}, PatchReverted{}, WorkerReady{}, WorkerEnded{}, WorkerKilled{}, WorkerDiverged{},
		WorkerFailed{}, Flipped{}, AudioOpened{}, Unheard{}, AudioEnded{}, Quarantined{}, NodeBypassed{},
		PatchAbandoned{}, NodeReset{}, OutputLimited{}, DeviceXrun{}, DeviceOverrun{}, LeadChanged{},
		DeviceProblem{}, TookOver{}, Resumed{}, SaveFailed{}, ActorFailed{},
	}
}

func (WorkerReady) event()    {}
func (WorkerEnded) event()    {}
func (WorkerKilled) event()   {}
func (WorkerDiverged) event() {}
func (WorkerFailed) event()   {}
func (Flipped) event()        {}
func (AudioOpened) event()    {}
func (Unheard) event()        {}
func (AudioEnded) event()     {}
func (DeviceXrun) event()     {}
func (DeviceOverrun) event()  {}
func (LeadChanged) event()    {}
func (DeviceProblem) event()  {}
func (PatchChanged) event()   {}
func (PatchReverted) event()  {}
func (Quarantined) event()    {}
func (NodeBypassed) event()   {}
func (PatchAbandoned) event() {}
func (NodeReset) event()      {}
func (OutputLimited) event()  {}
func (TookOver) event()       {}
func (Resumed) event()        {}
func (SaveFailed) event()     {}
func (ActorFailed) event()    {}
