package actors

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// leadNewsEvery is how often a lead that changes is reported.
const leadNewsEvery = time.Second

// leadNews is what was last reported of the lead and of the device's overruns.
type leadNews struct {
	lead     uint64
	overruns uint64
	at       time.Time
}

// tendLead reports a lead that the callback has changed, and calls that took more than it.
func (r *rig) tendLead(now time.Time) {
	n := &r.leadNews
	lead, overruns := r.control.Lead(), r.control.Counters().Overruns
	if !r.plays || n.at.IsZero() {
		*n = leadNews{lead: lead, overruns: overruns, at: now} // those before were an engine's before
		return
	}
	if lead == n.lead && overruns == n.overruns || now.Sub(n.at) < leadNewsEvery {
		return
	}
	if overruns > n.overruns {
		burst, _ := r.control.LeadParts()
		r.emit(report.DeviceOverrun{Calls: overruns - n.overruns, Total: overruns, Frames: burst, Lead: lead})
	}
	if lead != n.lead {
		r.emit(report.LeadChanged{From: n.lead, To: lead, Reason: leadReason(r.control.View, r.geo)})
	}
	*n = leadNews{lead: lead, overruns: overruns, at: now}
}

// leadReason says why the lead is what it is.
func leadReason(v shm.View, g shm.Geometry) string {
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

// latency is how long the lead lasts, in ms.
func latency(lead uint64, g shm.Geometry) float64 {
	return float64(lead*uint64(g.Block)) * 1000 / float64(g.Rate)
}
