package report

import (
	"fmt"
	"time"
)

func (e WorkerReady) String() string {
	return fmt.Sprintf("worker %d is ready (process %d, generation %d, from block %d)",
		e.Slot, e.PID, e.Generation, e.Block)
}

func (e WorkerEnded) String() string {
	return fmt.Sprintf("worker %d ended: %s (process %d, generation %d)", e.Slot, e.Cause, e.PID, e.Generation)
}

func (e WorkerKilled) String() string {
	return fmt.Sprintf("worker %d is killed: %s (process %d)", e.Slot, e.Reason, e.PID)
}

func (e WorkerDiverged) String() string {
	return fmt.Sprintf("worker %d diverged in block %d (process %d)", e.Slot, e.Block, e.PID)
}

func (e WorkerFailed) String() string {
	return fmt.Sprintf("worker %d could not start: %v; next try in %v", e.Slot, e.Err, e.After)
}

func (e Flipped) String() string {
	return fmt.Sprintf("flipped from worker %d to %d: %s (epoch %d)", e.From, e.To, e.Cause, e.Epoch)
}

func (e AudioOpened) String() string {
	s := fmt.Sprintf("plays on %s device %q: %d Hz, %d channels, period %d (process %d)",
		e.Backend, e.Device, e.Rate, e.Channels, e.Period, e.PID)
	if e.Note != "" {
		s += "; " + e.Note
	}
	return s
}

// autoBackend is the Preferred backend of an engine that takes any device.
const autoBackend = "auto"

func (e Unheard) String() string {
	s := fmt.Sprintf("nobody hears this: %s is not there and a clock without a device plays", e.Preferred)
	if e.Preferred == autoBackend {
		s = "nobody hears this: there is no sound device and a clock without one plays"
	}
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	return s
}

func (e AudioEnded) String() string {
	return fmt.Sprintf("the audio process ended: %s (process %d); next try in %v", e.Cause, e.PID, e.After)
}

func (e DeviceXrun) String() string {
	return fmt.Sprintf("the device reports %d xruns; %d so far", e.Xruns, e.Total)
}

func (e DeviceOverrun) String() string {
	return fmt.Sprintf("the device took more than the lead in %d calls, %d so far; "+
		"it takes %d frames at a time, and the lead is %d blocks from now on", e.Calls, e.Total, e.Frames, e.Lead)
}

func (e LeadChanged) String() string {
	return fmt.Sprintf("lead %d blocks, before %d: %s", e.To, e.From, e.Reason)
}

func (e DeviceProblem) String() string {
	if e.Problem == "" {
		return fmt.Sprintf("device %q has recovered", e.Device)
	}
	return fmt.Sprintf("device %q: %s", e.Device, e.Problem)
}

func (e PatchChanged) String() string {
	return fmt.Sprintf("patch %s plays from block %d on, as commit %d", e.Name, e.Commit.Block, e.Commit.Number)
}

func (e PatchReverted) String() string {
	return fmt.Sprintf("patch %s, commit %d, crashed workers and is left out; %s plays on", e.From, e.Commit, e.To)
}

func (e Quarantined) String() string {
	return fmt.Sprintf("quarantined %d commands from number %d on: they crashed a worker in block %d, in node %s",
		e.Commands, e.First, e.Block, e.Node)
}

func (e NodeBypassed) String() string {
	return fmt.Sprintf("node %s is bypassed: every worker crashed in it, in block %d", e.Node, e.Block)
}

func (e PatchAbandoned) String() string {
	return fmt.Sprintf("patch %s is abandoned, %s plays: %s", e.From, e.To, e.Reason)
}

func (e NodeReset) String() string {
	return fmt.Sprintf("node %s produced NaN, infinity or a value above 1e6, and was reset; %d times so far",
		e.Node, e.Times)
}

func (e OutputLimited) String() string {
	return fmt.Sprintf("the output was limited to full scale in %d blocks, and an offset removed in %d, so far",
		e.Limited, e.Offset)
}

func (e TookOver) String() string {
	return fmt.Sprintf("took over from a lost engine at block %d: %d workers, audio process %t",
		e.Block, e.Workers, e.Audio)
}

func (e Resumed) String() string {
	return fmt.Sprintf("resumed from the state saved at %s, at block %d", e.Saved.Format(time.DateTime), e.Block)
}

func (e SaveFailed) String() string { return fmt.Sprintf("%s could not be saved: %v", e.What, e.Err) }

func (e ActorFailed) String() string {
	return fmt.Sprintf("actor %s failed: %s; restarted in %v", e.Actor, e.Reason, e.After)
}
