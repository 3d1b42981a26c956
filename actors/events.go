package actors

import (
	"fmt"
	"log/slog"
	"time"
)

// Event is something that happened, as a value on the actor system's event stream. The set is
// closed: PatchChanged, PatchReverted, WorkerReady, WorkerEnded, WorkerKilled, WorkerDiverged, WorkerFailed, Flipped,
// AudioOpened, Unheard, AudioEnded, Quarantined, NodeBypassed, PatchAbandoned, NodeReset, OutputLimited, DeviceXrun,
// DeviceOverrun, LeadChanged, Adopted, Resumed, DeviceProblem, SaveFailed, ActorFailed.
type Event interface {
	fmt.Stringer
	event()
	// Level at which the event is logged.
	Level() slog.Level
}

type (
	// PatchChanged: the workers have gone on with another patch.
	PatchChanged struct {
		Name   string
		Commit Commit
	}
	// PatchReverted: a change of the patch ended workers and was left out; the patch before it plays on.
	PatchReverted struct {
		From, To string
		Commit   uint64
	}
	// WorkerReady: a worker is in lockstep and may be named.
	WorkerReady struct {
		Slot       int
		PID        int
		Generation uint64
		Block      uint64 // the first block that it rendered
	}
	// WorkerEnded: a worker's process ended, for whatever cause.
	WorkerEnded struct {
		Slot       int
		PID        int
		Generation uint64
		Cause      string
	}
	// WorkerKilled: a worker is being killed since it holds the others up.
	WorkerKilled struct {
		Slot int
		PID  int
		Why  string
	}
	// WorkerDiverged: a worker's sound is not the active worker's; it is replaced.
	WorkerDiverged struct {
		Slot  int
		PID   int
		Block uint64
	}
	// WorkerFailed: a worker could not be started or seeded; it is tried again.
	WorkerFailed struct {
		Slot  int
		PID   int
		Err   error
		After time.Duration // until the next try
	}
	// Flipped: another worker is heard.
	Flipped struct {
		From, To int
		Epoch    uint64
		Cause    string
	}
	// AudioOpened: a device plays.
	AudioOpened struct {
		PID                    int
		Backend, Device        string
		Rate, Channels, Period int
		Note                   string
	}
	// Unheard: the sound goes to a clock without a device; told again every minute.
	Unheard struct {
		Preferred string // the device that was asked for, as backend:device
		Why       string
	}
	// AudioEnded: the audio process ended; it is started again.
	AudioEnded struct {
		PID   int
		Cause string
		After time.Duration // until the next try
	}
	// Quarantined: commands with which a worker ended are left out. Their senders are told.
	Quarantined struct {
		Block    uint64
		Node     string // in which it ended
		Commands int
		First    uint64 // Seq of the first of them
	}
	// NodeBypassed: every worker ended in a node, which is left out from now on.
	NodeBypassed struct {
		Node  string
		Block uint64
	}
	// PatchAbandoned: a patch that ends every worker was given up.
	PatchAbandoned struct{ From, To, Why string }
	// NodeReset: a node put out what is no sound (NaN, infinity, beyond all measure), and was silenced and reset.
	NodeReset struct {
		Node  string
		Times uint64 // since the stream began
	}
	// OutputLimited: the sound would have been above full scale, or had a steady offset.
	OutputLimited struct{ Limited, Offset uint64 } // blocks, since the stream began
	// DeviceXrun: the device has reported xruns.
	DeviceXrun struct{ Xruns, Total uint64 }
	// DeviceOverrun: the device took more frames at a time than the lead holds, in so many calls.
	DeviceOverrun struct {
		Calls, Total uint64
		Frames       int    // that it takes at a time
		Lead         uint64 // blocks, from now on
	}
	// LeadChanged: the lead has another length, in blocks.
	LeadChanged struct {
		From, To uint64
		Reason   string
	}
	// DeviceProblem: something is wrong with what the device does with the sound, which goes on; or no longer.
	DeviceProblem struct{ Device, What string }
	// Resumed: the engine goes on from a saved state.
	Resumed struct {
		Block uint64
		Saved time.Time
	}
	// TookOver: the sound of an engine that was lost is under control again.
	TookOver struct {
		Workers int
		Audio   bool   // the audio process too
		Block   uint64 // that was played next
	}
	// SaveFailed: something that an engine after this one would need could not be written.
	SaveFailed struct {
		What string
		Err  error
	}
	// ActorFailed: an actor panicked and is restarted.
	ActorFailed struct {
		Actor  string
		Reason string
		After  time.Duration // until the restart
	}
)

func (PatchChanged) event()   {}
func (PatchReverted) event()  {}
func (WorkerReady) event()    {}
func (WorkerEnded) event()    {}
func (WorkerKilled) event()   {}
func (WorkerDiverged) event() {}
func (WorkerFailed) event()   {}
func (Flipped) event()        {}
func (AudioOpened) event()    {}
func (Unheard) event()        {}
func (AudioEnded) event()     {}
func (ActorFailed) event()    {}
func (SaveFailed) event()     {}
func (TookOver) event()       {}
func (Resumed) event()        {}
func (DeviceProblem) event()  {}
func (DeviceXrun) event()     {}
func (DeviceOverrun) event()  {}
func (LeadChanged) event()    {}
func (Quarantined) event()    {}
func (NodeBypassed) event()   {}
func (PatchAbandoned) event() {}
func (NodeReset) event()      {}
func (OutputLimited) event()  {}

// Level of a thing that is as it should be is Info, of a loss that is made good Warn, of what needs somebody to look Error.
func (WorkerReady) Level() slog.Level { return slog.LevelInfo }

// Level is Warn: the worker is replaced.
func (WorkerEnded) Level() slog.Level { return slog.LevelWarn }

// Level is Warn: the worker is replaced.
func (WorkerKilled) Level() slog.Level { return slog.LevelWarn }

// Level is Error: memory or a module is not to be trusted.
func (WorkerDiverged) Level() slog.Level { return slog.LevelError }

// Level is Error: redundancy is missing.
func (WorkerFailed) Level() slog.Level { return slog.LevelError }

// Level is Warn: a worker was lost.
func (Flipped) Level() slog.Level { return slog.LevelWarn }

// Level is Info.
func (AudioOpened) Level() slog.Level { return slog.LevelInfo }

// Level is Warn: somebody waits for sound.
func (Unheard) Level() slog.Level { return slog.LevelWarn }

// Level is Error: nothing is heard until it is back.
func (AudioEnded) Level() slog.Level { return slog.LevelError }

// Level is Warn: an engine was lost.
func (TookOver) Level() slog.Level { return slog.LevelWarn }

// Level is Error: what is lost now is lost.
func (SaveFailed) Level() slog.Level { return slog.LevelError }

// Level is Error: a bug.
func (ActorFailed) Level() slog.Level { return slog.LevelError }

// String says it in a line.
func (e WorkerReady) String() string {
	return fmt.Sprintf("worker %d is ready (process %d, generation %d, from block %d)", e.Slot, e.PID, e.Generation, e.Block)
}

// String says it in a line.
func (e WorkerEnded) String() string {
	return fmt.Sprintf("worker %d ended: %s (process %d, generation %d)", e.Slot, e.Cause, e.PID, e.Generation)
}

// String says it in a line.
func (e WorkerKilled) String() string {
	return fmt.Sprintf("worker %d is killed: %s (process %d)", e.Slot, e.Why, e.PID)
}

// String says it in a line.
func (e WorkerDiverged) String() string {
	return fmt.Sprintf("worker %d diverged in block %d (process %d)", e.Slot, e.Block, e.PID)
}

// String says it in a line.
func (e WorkerFailed) String() string {
	return fmt.Sprintf("worker %d could not start: %v; next try in %v", e.Slot, e.Err, e.After)
}

// String says it in a line.
func (e Flipped) String() string {
	return fmt.Sprintf("flipped from worker %d to %d: %s (epoch %d)", e.From, e.To, e.Cause, e.Epoch)
}

// String says it in a line.
func (e AudioOpened) String() string {
	s := fmt.Sprintf("plays on %s device %q: %d Hz, %d channels, period %d (process %d)", e.Backend, e.Device, e.Rate, e.Channels, e.Period, e.PID)
	if e.Note != "" {
		s += "; " + e.Note
	}
	return s
}

// String says it in a line.
func (e Unheard) String() string {
	s := fmt.Sprintf("nobody hears this: %s is not there and a clock without a device plays", e.Preferred)
	if e.Preferred == autoBackend {
		s = "nobody hears this: there is no sound device and a clock without one plays"
	}
	if e.Why != "" {
		s += " (" + e.Why + ")"
	}
	return s
}

// String says it in a line.
func (e AudioEnded) String() string {
	return fmt.Sprintf("the audio process ended: %s (process %d); next try in %v", e.Cause, e.PID, e.After)
}

// String says it in a line.
func (e TookOver) String() string {
	return fmt.Sprintf("took over the sound of an engine that was lost, at block %d: %d workers, audio process %t", e.Block, e.Workers, e.Audio)
}

// String says it in a line.
func (e SaveFailed) String() string { return fmt.Sprintf("%s could not be kept: %v", e.What, e.Err) }

// String says it in a line.
func (e ActorFailed) String() string {
	return fmt.Sprintf("actor %s failed: %s; restarted in %v", e.Actor, e.Reason, e.After)
}
