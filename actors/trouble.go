package actors

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// Level is Error: a command, or the module that it was for, is not to be trusted.
func (Quarantined) Level() slog.Level { return slog.LevelError }

// Level is Error: the sound is not what it was to be.
func (NodeBypassed) Level() slog.Level { return slog.LevelError }

// Level is Error: the sound is not what it was to be.
func (PatchAbandoned) Level() slog.Level { return slog.LevelError }

// Level is Warn: the node goes on from its beginning.
func (NodeReset) Level() slog.Level { return slog.LevelWarn }

// Level is Warn: somebody should turn it down.
func (OutputLimited) Level() slog.Level { return slog.LevelWarn }

// String says it in a line.
func (e Quarantined) String() string {
	return fmt.Sprintf("quarantined %d commands from number %d on: a worker ended of them in block %d, in node %s", e.Commands, e.First, e.Block, e.Node)
}

// String says it in a line.
func (e NodeBypassed) String() string {
	return fmt.Sprintf("node %s is left out: every worker ended in it, in block %d", e.Node, e.Block)
}

// String says it in a line.
func (e PatchAbandoned) String() string {
	return fmt.Sprintf("gave up %s, and plays %s: %s", e.From, e.To, e.Why)
}

// String says it in a line.
func (e NodeReset) String() string {
	return fmt.Sprintf("node %s put out what is no sound, and was silenced and reset; %d times so far", e.Node, e.Times)
}

// String says it in a line.
func (e OutputLimited) String() string {
	return fmt.Sprintf("the output was limited to full scale in %d blocks, and an offset taken from it in %d, so far", e.Limited, e.Offset)
}

// Level is Warn: it was heard.
func (DeviceXrun) Level() slog.Level { return slog.LevelWarn }

// String says it in a line.
func (e DeviceXrun) String() string {
	return fmt.Sprintf("the device reports %d xruns; %d so far", e.Xruns, e.Total)
}

// Level is Error while there is trouble.
func (e DeviceProblem) Level() slog.Level {
	if e.What == "" {
		return slog.LevelInfo
	}
	return slog.LevelError
}

// String says it in a line.
func (e DeviceProblem) String() string {
	if e.What == "" {
		return fmt.Sprintf("device %q is well again", e.Device)
	}
	return fmt.Sprintf("device %q: %s", e.Device, e.What)
}

// Level is Info.
func (Resumed) Level() slog.Level { return slog.LevelInfo }

// String says it in a line.
func (e Resumed) String() string {
	return fmt.Sprintf("goes on from the state of %s, at block %d", e.Saved.Format(time.DateTime), e.Block)
}

// soundNewsEvery is how often at the most what the streams find wrong with their sound is told.
const soundNewsEvery = time.Second

// soundNews is what was last told of it.
type soundNews struct {
	told  shm.Sound
	xruns uint64
	at    time.Time
}

// tendSound tells what the active worker's stream has found wrong with its sound, and has mended, and what the device has missed.
func (r *rig) tendSound(now time.Time) {
	n := &r.sound
	s, xruns := r.journal.Status(r.control.Active().Slot()).Sound, r.control.Counters().Xruns
	if n.at.IsZero() {
		n.xruns, n.at = xruns, now.Add(-soundNewsEvery) // those before were an engine's before
	}
	if s == n.told && xruns == n.xruns || now.Sub(n.at) < soundNewsEvery {
		return
	}
	if s.Faults > n.told.Faults {
		r.emit(NodeReset{Node: r.nodeName(s.FaultNode, r.present.number), Times: s.Faults})
	}
	if s.Limited > n.told.Limited || s.Offset > n.told.Offset {
		r.emit(OutputLimited{Limited: s.Limited, Offset: s.Offset})
	}
	if xruns > n.xruns {
		r.emit(DeviceXrun{Xruns: xruns - n.xruns, Total: xruns})
	}
	n.told, n.xruns, n.at = s, xruns, now
}
