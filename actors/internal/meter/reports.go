package meter

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// reportEvery is the least time between two reports of the same kind.
const reportEvery = time.Second

// SoundReport turns the counters of the active worker's stream, and of the device, into events. The
// zero SoundReport is ready to use.
type SoundReport struct {
	sound shm.Sound
	xruns uint64
	at    time.Time
}

// Update returns the events since the last report, if it is time for one. nodeName returns the id
// of a node by its index.
func (r *SoundReport) Update(now time.Time, sound shm.Sound, xruns uint64, nodeName func(int) string) (list []report.Event) {
	if r.at.IsZero() {
		r.xruns, r.at = xruns, now.Add(-reportEvery) // earlier xruns were reported by an engine before
	}
	if sound == r.sound && xruns == r.xruns || now.Sub(r.at) < reportEvery {
		return nil
	}
	if sound.Faults > r.sound.Faults {
		list = append(list, report.NodeReset{Node: nodeName(sound.FaultNode), Times: sound.Faults})
	}
	if sound.Limited > r.sound.Limited || sound.Offset > r.sound.Offset {
		list = append(list, report.OutputLimited{Limited: sound.Limited, Offset: sound.Offset})
	}
	if xruns > r.xruns {
		list = append(list, report.DeviceXrun{Xruns: xruns - r.xruns, Total: xruns})
	}
	r.sound, r.xruns, r.at = sound, xruns, now
	return list
}

// LeadReport turns changes of the lead, and callbacks that took more than it, into events. The zero
// LeadReport is ready to use.
type LeadReport struct {
	lead     uint64
	overruns uint64
	at       time.Time
}

// Update returns the events since the last report, if it is time for one. Until the engine plays
// there are none.
func (r *LeadReport) Update(now time.Time, playing bool, v shm.View, g shm.Geometry) (list []report.Event) {
	lead, overruns := v.Lead(), v.Counters().Overruns
	if !playing || r.at.IsZero() {
		*r = LeadReport{lead, overruns, now} // earlier overruns were reported by an engine before
		return nil
	}
	if lead == r.lead && overruns == r.overruns || now.Sub(r.at) < reportEvery {
		return nil
	}
	if overruns > r.overruns {
		burst, _ := v.LeadParts()
		list = append(list, report.DeviceOverrun{Calls: overruns - r.overruns, Total: overruns, Frames: burst, Lead: lead})
	}
	if lead != r.lead {
		list = append(list, report.LeadChanged{From: r.lead, To: lead, Reason: LeadReason(v, g)})
	}
	*r = LeadReport{lead, overruns, now}
	return list
}

// LeadReason says why the lead has its length.
func LeadReason(v shm.View, g shm.Geometry) string {
	burst, extra := v.LeadParts()
	lead, asked := v.Lead(), v.RequestedLead()
	blocks := max(1, (burst+int(g.Block)-1)/int(g.Block))
	need := fmt.Sprintf("twice the %d blocks of %d frames, which the device takes at a time, and a guard of %d", blocks, burst, g.Guard)
	least := uint64(2*blocks) + uint64(g.Guard)
	switch {
	case lead == asked:
		return fmt.Sprintf("fixed at %d", asked)
	case asked > 0 && least > asked:
		return fmt.Sprintf("%d was asked for and is too short: %s", asked, need)
	case lead > least+extra:
		return "on its way down to " + fmt.Sprint(max(asked, least+extra)) + ": " + need
	case extra > 0:
		return fmt.Sprintf("%s, and %d more since workers were late", need, extra)
	}
	return need
}

// Latency returns how long a lead of so many blocks lasts, in ms.
func Latency(lead uint64, g shm.Geometry) float64 {
	return float64(lead*uint64(g.Block)) * 1000 / float64(g.Rate)
}
