// Package fleet makes of what is heard of many engines what a person or a program wants to know: how each is, and what is wrong with it, from
// when to when and why. It is a function of what it is told and when: it has no clock and no connection; actors/remote brings the news.
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

// Kind is what an alarm is about.
type Kind string

// The kinds of alarms.
const (
	Unreachable  Kind = "unreachable"   // nothing is heard of it, or it will not be watched
	NotRedundant Kind = "not redundant" // a worker is missing for longer than a failover takes
	Silent       Kind = "silent"        // notes are played and nothing is heard
	Diverged     Kind = "diverged"      // a worker's sound was not what the others made
	Flapping     Kind = "flapping"      // one failover after the other
	Drift        Kind = "clock drift"   // it does not play as many frames as its rate says
	Device       Kind = "device"        // what plays is heard by nobody, or something is wrong with the device
)

// The limits from which there is an alarm.
const (
	redundantWithin = 2 * time.Second
	silentAfter     = 3 * time.Second  // from a note that is not heard
	silentPlaying   = 15 * time.Second // while the sequencer plays
	divergedFor     = time.Minute      // after the last worker that was replaced for it
	flapCount       = 3
	flapWithin      = 10 * time.Second
	driftOver       = 10 * time.Second
	driftMost       = 2000. // parts in a million; a sound card is some ten or a hundred off
	audible         = 1e-4  // linear
)

// Alarm is what is wrong with one engine. It has ended when Ended is not zero.
type Alarm struct {
	Engine string    `json:"engine"`
	Kind   Kind      `json:"kind"`
	Reason string    `json:"reason"`
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended,omitzero"`
}

// String says it in a line.
func (a Alarm) String() string {
	if a.Ended.IsZero() {
		return fmt.Sprintf("ALARM %s: %s: %s", a.Engine, a.Kind, a.Reason)
	}
	return fmt.Sprintf("ended %s: %s, after %v: %s", a.Engine, a.Kind, a.Ended.Sub(a.Began).Round(time.Millisecond), a.Reason)
}

// Member is an engine as it is known now.
type Member struct {
	Name    string     `json:"name"` // HOST:PORT or HOST:PORT/NAME
	Group   string     `json:"group,omitempty"`
	Reached bool       `json:"reached"`
	Status  *pb.Status `json:"status,omitempty"` // the last; nil: none yet
	Heard   time.Time  `json:"heard,omitzero"`   // when
	Load    float64    `json:"load"`             // of the busiest worker, of a core
	Boots   int        `json:"boots"`            // lives of the engine that were seen
	Lost    uint64     `json:"lost_events"`
	Alarms  []Alarm    `json:"alarms,omitempty"` // that go on
}

// member is a Member with what the alarms are judged by.
type member struct {
	Member
	since     time.Time // when it began to be followed
	lostWhy   string
	whole     time.Time   // when it was last redundant
	noted     time.Time   // the first note since it was last heard to sound
	notes     uint64      // its count then
	sounded   time.Time   // when it was last heard to sound, by the time here
	diverged  time.Time   // when its mismatches last rose
	diverges  uint64      // mismatches
	failovers []time.Time // the last few
	failed    uint64
	base      sample // where drift is measured from
	drift     float64
	drifts    bool // it has been measured
}

// sample is where the clock was at a time of the engine's own.
type sample struct {
	at    int64 // ns
	clock uint64
}

// Fleet is a number of engines. One goroutine at a time uses it.
type Fleet struct {
	members map[string]*member
	order   []string
}

// New is a fleet of none.
func New() *Fleet { return &Fleet{members: map[string]*member{}} }

// Add takes an engine into the fleet.
func (f *Fleet) Add(name, group string, now time.Time) {
	if f.members[name] != nil {
		return
	}
	f.members[name] = &member{Member: Member{Name: name, Group: group}, since: now, whole: now, sounded: now}
	f.order = append(f.order, name)
}

// Members are all engines, in the order in which they were added.
func (f *Fleet) Members() (list []Member) {
	for _, name := range f.order {
		m := f.members[name].Member
		m.Alarms = slices.Clone(m.Alarms)
		list = append(list, m)
	}
	return list
}

// Take takes news of an engine, and returns the alarms that began or ended with it.
func (f *Fleet) Take(name string, n remote.News, now time.Time) []Alarm {
	m := f.members[name]
	if m == nil {
		return nil
	}
	switch {
	case n.Lost != "":
		m.Reached, m.lostWhy = false, n.Lost
	case n.Refused != nil:
		m.Reached, m.lostWhy = false, "it refuses: "+n.Refused.Reason
	case n.Report != nil && n.Report.Status != nil:
		m.report(n.Report, now)
	}
	return m.judge(now)
}

// Look judges all engines by the time that has passed.
func (f *Fleet) Look(now time.Time) (changes []Alarm) {
	for _, name := range f.order {
		changes = append(changes, f.members[name].judge(now)...)
	}
	return changes
}

// report takes what one report says.
func (m *member) report(r *pb.Report, now time.Time) {
	st := r.Status
	if m.Status == nil || m.Status.BootId != st.BootId {
		m.Boots++
		m.whole, m.sounded, m.noted, m.notes = now, now, time.Time{}, st.NotesStarted
		m.diverges, m.failed, m.failovers, m.base, m.drifts = st.Mismatches, st.Failovers, nil, sample{}, false
	}
	finite(&st.Peak)
	for _, w := range st.Workers {
		finite(&w.Load)
	}
	m.Status, m.Heard, m.Reached, m.lostWhy = st, now, true, ""
	m.Lost += r.LostEvents
	m.Load = 0
	for _, w := range st.Workers {
		m.Load = max(m.Load, w.Load)
	}
	if st.Redundant {
		m.whole = now
	}
	if st.Mismatches > m.diverges {
		m.diverges, m.diverged = st.Mismatches, now
	}
	for range min(st.Failovers-min(m.failed, st.Failovers), flapCount) { // an engine may say any number
		m.failovers = append(m.failovers, now)
	}
	m.failed = max(m.failed, st.Failovers)
	m.failovers = m.failovers[max(0, len(m.failovers)-flapCount):]
	switch {
	case st.Peak > audible || st.Muted:
		m.sounded, m.noted, m.notes = now, time.Time{}, st.NotesStarted
	case st.NotesStarted > m.notes && m.noted.IsZero():
		m.noted = now
	}
	m.measure(sample{r.MonotonicNs, st.Clock}, st)
}

// finite makes 0 of what is no number: JSON has no word for it.
func finite(v *float64) {
	if math.IsNaN(*v) || math.IsInf(*v, 0) {
		*v = 0
	}
}

// measure compares the clock with the engine's own time.
func (m *member) measure(s sample, st *pb.Status) {
	if m.base == (sample{}) || s.clock < m.base.clock || s.at < m.base.at || !st.Playing || st.Rate == 0 {
		m.base, m.drifts = s, false
		return
	}
	if took := s.at - m.base.at; took >= int64(driftOver) {
		played := float64(s.clock-m.base.clock) * float64(st.Block) / float64(st.Rate)
		m.drift, m.drifts = (played/(float64(took)/1e9)-1)*1e6, true
		m.base = s
	}
}

// judge compares what is wrong now with the alarms that go on.
func (m *member) judge(now time.Time) (changes []Alarm) {
	wrong := m.wrong(now)
	m.Alarms = slices.DeleteFunc(m.Alarms, func(a Alarm) bool {
		_, still := wrong[a.Kind]
		if !still && !(a.Kind != Unreachable && !m.Reached) { // of one that cannot be heard nobody knows whether it has ended
			a.Ended = now
			changes = append(changes, a)
			return true
		}
		return false
	})
	for _, k := range []Kind{Unreachable, NotRedundant, Silent, Diverged, Flapping, Drift, Device} {
		reason, is := wrong[k]
		if is && !slices.ContainsFunc(m.Alarms, func(a Alarm) bool { return a.Kind == k }) {
			a := Alarm{Engine: m.Name, Kind: k, Reason: reason, Began: now}
			m.Alarms = append(m.Alarms, a)
			changes = append(changes, a)
		}
	}
	return changes
}

// wrong is what is wrong now, with the reasons.
func (m *member) wrong(now time.Time) map[Kind]string {
	w := map[Kind]string{}
	if !m.Reached {
		if m.lostWhy != "" {
			w[Unreachable] = m.lostWhy
		}
		return w
	}
	st := m.Status
	if d := now.Sub(m.whole); d > redundantWithin {
		w[NotRedundant] = fmt.Sprintf("for %v not all of its %d workers are ready (%s)", d.Round(time.Second), len(st.Workers), states(st))
	}
	switch quiet := now.Sub(m.sounded); {
	case st.StoppedReason != "":
		w[Silent] = st.StoppedReason
	case !m.noted.IsZero() && now.Sub(m.noted) > silentAfter:
		w[Silent] = fmt.Sprintf("%d notes have begun since it was last heard, %v ago", st.NotesStarted-m.notes, quiet.Round(time.Second))
	case st.Transport && quiet > silentPlaying:
		w[Silent] = fmt.Sprintf("its sequencer plays, and nothing has been heard for %v", quiet.Round(time.Second))
	}
	if !m.diverged.IsZero() && now.Sub(m.diverged) < divergedFor {
		w[Diverged] = fmt.Sprintf("%d workers so far were replaced since their sound was not that of the others", st.Mismatches)
	}
	if len(m.failovers) == flapCount && now.Sub(m.failovers[0]) < flapWithin {
		w[Flapping] = fmt.Sprintf("%d failovers within %v, %d in all", flapCount, now.Sub(m.failovers[0]).Round(time.Second), st.Failovers)
	}
	if m.drifts && (m.drift > driftMost || m.drift < -driftMost) {
		w[Drift] = fmt.Sprintf("it plays at %.0f Hz, and should at %d", float64(st.Rate)*(1+m.drift/1e6), st.Rate)
	}
	switch {
	case st.Problem != "":
		w[Device] = st.Problem
	case st.Unheard:
		w[Device] = "nobody hears it: the device that was asked for is not there"
	}
	return w
}

// states says how many workers are in which state.
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
