// Package fleet evaluates the news of many engines: the state of each engine, and its alarms with
// their begin, end and reason. A [Fleet] has no clock and no connection. The caller passes it the
// news that actors/remote brings, with the time.
package fleet

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/remote"
)

// Kind classifies an Alarm.
type Kind string

// The kinds of alarms.
const (
	Unreachable  Kind = "unreachable"   // no reports arrive, or the engine refuses to be watched
	NotRedundant Kind = "not redundant" // a worker is missing for longer than a failover takes
	Silent       Kind = "silent"        // notes are played but the output is silent, or no worker is started
	Diverged     Kind = "diverged"      // a worker was replaced because its sound differed
	Flapping     Kind = "flapping"      // failovers follow each other
	Drift        Kind = "clock drift"   // the device plays faster or slower than the rate
	Device       Kind = "device"        // the output is inaudible, or the device has a problem
)

// The limits above which an alarm begins.
const (
	redundantWithin = 2 * time.Second
	silentAfter     = 3 * time.Second  // after the start of an inaudible note
	silentPlaying   = 15 * time.Second // while the sequencer plays inaudibly
	divergedFor     = time.Minute      // after the last worker that was replaced
	flapCount       = 3
	flapWithin      = 10 * time.Second
	driftOver       = 10 * time.Second
	driftMost       = 2000. // parts per million; sound cards differ by 10 to 100
	audible         = 1e-4  // linear
)

// Alarm is a problem of one engine. Ended is zero while the problem lasts.
type Alarm struct {
	Engine string    `json:"engine"`
	Kind   Kind      `json:"kind"`
	Reason string    `json:"reason"`
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended,omitzero"`
}

// String describes the alarm in one line.
func (a Alarm) String() string {
	if a.Ended.IsZero() {
		return fmt.Sprintf("ALARM %s: %s: %s", a.Engine, a.Kind, a.Reason)
	}
	took := a.Ended.Sub(a.Began).Round(time.Millisecond)
	return fmt.Sprintf("ended %s: %s, after %v: %s", a.Engine, a.Kind, took, a.Reason)
}

// Member is the current knowledge of one engine.
type Member struct {
	Name    string     `json:"name"` // HOST:PORT or HOST:PORT/NAME
	Group   string     `json:"group,omitempty"`
	Reached bool       `json:"reached"`
	Status  *pb.Status `json:"status,omitempty"` // the last one; nil: none yet
	Heard   time.Time  `json:"heard,omitzero"`   // time of Status
	Load    float64    `json:"load"`             // of the busiest worker, as a share of one core
	Boots   int        `json:"boots"`            // lives of the engine since it was added
	Lost    uint64     `json:"lost_events"`      // events that the engine could not deliver
	Alarms  []Alarm    `json:"alarms,omitempty"` // that have not ended
}

// member is a Member with the data for its alarms.
type member struct {
	Member
	lostReason   string
	redundantAt  time.Time   // the last time
	noteAt       time.Time   // the first note since audibleAt; zero: none
	notes        uint64      // Status.NotesStarted at audibleAt
	audibleAt    time.Time   // the last time that the output was audible
	divergedAt   time.Time   // the last increase of mismatches
	mismatches   uint64      // counted so far
	failovers    []time.Time // the last flapCount
	failoverSeen uint64      // counted so far
	driftBase    sample      // start of the measurement
	drift        float64     // parts per million
	driftKnown   bool        // drift was measured
}

// sample is the engine's clock at a time.
type sample struct {
	at    int64  // ns, by the engine's monotonic clock
	clock uint64 // block
}

// Fleet holds the engines that a program follows. Only one goroutine at a time may use it.
type Fleet struct {
	members map[string]*member
	order   []string
}

// New returns a fleet without engines.
func New() *Fleet { return &Fleet{members: map[string]*member{}} }

// Add adds an engine to the fleet, unless it is there.
func (f *Fleet) Add(name, group string, now time.Time) {
	if f.members[name] != nil {
		return
	}
	f.members[name] = &member{Member: Member{Name: name, Group: group}, redundantAt: now, audibleAt: now}
	f.order = append(f.order, name)
}

// Members returns all engines in the order in which they were added.
func (f *Fleet) Members() (list []Member) {
	for _, name := range f.order {
		m := f.members[name].Member
		m.Alarms = slices.Clone(m.Alarms)
		list = append(list, m)
	}
	return list
}

// Take applies news of an engine, and returns the alarms that began or ended with them.
func (f *Fleet) Take(name string, n remote.News, now time.Time) []Alarm {
	m := f.members[name]
	if m == nil {
		return nil
	}
	switch {
	case n.Lost != "":
		m.Reached, m.lostReason = false, n.Lost
	case n.Refused != nil:
		m.Reached, m.lostReason = false, "engine refuses: "+n.Refused.Reason
	case n.Report != nil && n.Report.Status != nil:
		m.report(n.Report, now)
	}
	return m.evaluate(now)
}

// Look returns the alarms that began or ended because time has passed.
func (f *Fleet) Look(now time.Time) (changes []Alarm) {
	for _, name := range f.order {
		changes = append(changes, f.members[name].evaluate(now)...)
	}
	return changes
}

// report applies one report.
func (m *member) report(r *pb.Report, now time.Time) {
	st := r.Status
	if m.Status == nil || m.Status.BootId != st.BootId {
		m.Boots++
		m.redundantAt, m.audibleAt, m.noteAt, m.notes = now, now, time.Time{}, st.NotesStarted
		m.mismatches, m.failoverSeen, m.failovers = st.Mismatches, st.Failovers, nil
		m.driftBase, m.driftKnown = sample{}, false
	}
	finite(&st.Peak)
	for _, w := range st.Workers {
		finite(&w.Load)
	}
	m.Status, m.Heard, m.Reached, m.lostReason = st, now, true, ""
	m.Lost += r.LostEvents
	m.Load = 0
	for _, w := range st.Workers {
		m.Load = max(m.Load, w.Load)
	}
	if st.Redundant {
		m.redundantAt = now
	}
	if st.Mismatches > m.mismatches {
		m.mismatches, m.divergedAt = st.Mismatches, now
	}
	for range min(st.Failovers-min(m.failoverSeen, st.Failovers), flapCount) { // an engine may report any number
		m.failovers = append(m.failovers, now)
	}
	m.failoverSeen = max(m.failoverSeen, st.Failovers)
	m.failovers = m.failovers[max(0, len(m.failovers)-flapCount):]
	switch {
	case st.Peak > audible || st.Muted:
		m.audibleAt, m.noteAt, m.notes = now, time.Time{}, st.NotesStarted
	case st.NotesStarted > m.notes && m.noteAt.IsZero():
		m.noteAt = now
	}
	m.measure(sample{r.MonotonicNs, st.Clock}, st)
}

// finite replaces NaN and infinity by 0: JSON cannot express them.
func finite(v *float64) {
	if math.IsNaN(*v) || math.IsInf(*v, 0) {
		*v = 0
	}
}

// measure compares the engine's clock with its own time.
func (m *member) measure(s sample, st *pb.Status) {
	if m.driftBase == (sample{}) || s.clock < m.driftBase.clock || s.at < m.driftBase.at ||
		!st.Playing || st.Rate == 0 {
		m.driftBase, m.driftKnown = s, false
		return
	}
	if took := s.at - m.driftBase.at; took >= int64(driftOver) {
		played := float64(s.clock-m.driftBase.clock) * float64(st.Block) / float64(st.Rate)
		m.drift, m.driftKnown = (played/(float64(took)/1e9)-1)*1e6, true
		m.driftBase = s
	}
}

// evaluate compares the current problems with the alarms that have not ended.
func (m *member) evaluate(now time.Time) (changes []Alarm) {
	reasons := m.problems(now)
	m.Alarms = slices.DeleteFunc(m.Alarms, func(a Alarm) bool {
		_, still := reasons[a.Kind]
		if !still && !(a.Kind != Unreachable && !m.Reached) { // an unreachable engine keeps its alarms
			a.Ended = now
			changes = append(changes, a)
			return true
		}
		return false
	})
	for _, k := range []Kind{Unreachable, NotRedundant, Silent, Diverged, Flapping, Drift, Device} {
		reason, found := reasons[k]
		if found && !slices.ContainsFunc(m.Alarms, func(a Alarm) bool { return a.Kind == k }) {
			a := Alarm{Engine: m.Name, Kind: k, Reason: reason, Began: now}
			m.Alarms = append(m.Alarms, a)
			changes = append(changes, a)
		}
	}
	return changes
}

// problems returns the current problems with their reasons.
func (m *member) problems(now time.Time) map[Kind]string {
	w := map[Kind]string{}
	if !m.Reached {
		if m.lostReason != "" {
			w[Unreachable] = m.lostReason
		}
		return w
	}
	st := m.Status
	if d := now.Sub(m.redundantAt); d > redundantWithin {
		w[NotRedundant] = fmt.Sprintf("for %v, not all of %d workers are ready (%s)",
			d.Round(time.Second), len(st.Workers), states(st))
	}
	switch quiet := now.Sub(m.audibleAt); {
	case st.StoppedReason != "":
		w[Silent] = st.StoppedReason
	case !m.noteAt.IsZero() && now.Sub(m.noteAt) > silentAfter:
		w[Silent] = fmt.Sprintf("%d notes started since the output was last audible, %v ago",
			st.NotesStarted-m.notes, quiet.Round(time.Second))
	case st.Transport && quiet > silentPlaying:
		w[Silent] = fmt.Sprintf("the sequencer plays, but the output is silent for %v", quiet.Round(time.Second))
	}
	if !m.divergedAt.IsZero() && now.Sub(m.divergedAt) < divergedFor {
		w[Diverged] = fmt.Sprintf("%d workers so far were replaced because their sound differed", st.Mismatches)
	}
	if len(m.failovers) == flapCount && now.Sub(m.failovers[0]) < flapWithin {
		w[Flapping] = fmt.Sprintf("%d failovers within %v, %d in all",
			flapCount, now.Sub(m.failovers[0]).Round(time.Second), st.Failovers)
	}
	if m.driftKnown && (m.drift > driftMost || m.drift < -driftMost) {
		w[Drift] = fmt.Sprintf("plays at %.0f Hz instead of %d Hz", float64(st.Rate)*(1+m.drift/1e6), st.Rate)
	}
	switch {
	case st.Problem != "":
		w[Device] = st.Problem
	case st.Unheard:
		w[Device] = "inaudible: the requested device is unavailable"
	}
	return w
}

// states counts the workers by state.
func states(st *pb.Status) string {
	n := map[string]int{}
	for _, w := range st.Workers {
		n[w.State]++
	}
	var said []string
	for _, s := range []string{"ready", "joining", "starting", "empty"} {
		if n[s] > 0 {
			said = append(said, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	return strings.Join(said, ", ")
}
