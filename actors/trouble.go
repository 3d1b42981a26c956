package actors

import (
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

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
		r.emit(report.NodeReset{Node: r.nodeName(s.FaultNode, r.present.number), Times: s.Faults})
	}
	if s.Limited > n.told.Limited || s.Offset > n.told.Offset {
		r.emit(report.OutputLimited{Limited: s.Limited, Offset: s.Offset})
	}
	if xruns > n.xruns {
		r.emit(report.DeviceXrun{Xruns: xruns - n.xruns, Total: xruns})
	}
	n.told, n.xruns, n.at = s, xruns, now
}
