package report

import "github.com/music-chronus/chronus/osc"

// Totals is the part of a Status that only counts up. The counters of the audio process live as
// long as the engine's shared memory: a take-over keeps them.
type Totals struct {
	Callbacks     uint64 `json:"callbacks"`
	Played        uint64 `json:"played"`
	Rescued       uint64 `json:"rescued"`
	Concealed     uint64 `json:"concealed"`
	Flips         uint64 `json:"flips"`
	CallbackFlips uint64 `json:"callback_flips"`
	Removed       uint64 `json:"removed"`
	Xruns         uint64 `json:"xruns"`
	Damaged       uint64 `json:"damaged"`
	Late          uint64 `json:"late"`
	Overruns      uint64 `json:"overruns"`
	Mismatches    uint64 `json:"mismatches"`

	FailoversTotal uint64 `json:"failovers_total"`
}

// Sound counts what a worker's stream had to correct in its own output.
type Sound struct {
	Faults    uint64 `json:"faults"`
	FaultNode int    `json:"fault_node"` // index of the last node that was reset
	Limited   uint64 `json:"limited"`
	Offset    uint64 `json:"offset"`
}

// Counter is one row of the table of counters: a number of a Status that only counts up.
type Counter struct {
	Name string // field of the remote Status message, and stem of the metric
	JSON string // path in the Status as JSON, with dots
	Unit string // "" if Name says what is counted
	Help string
	Of   func(*Status) uint64
}

// Metric returns the counter's name in Prometheus's form, without the program's prefix.
func (c Counter) Metric() string {
	name := c.Name
	if c.Unit != "" {
		name += "_" + c.Unit
	}
	return name + "_total"
}

// Counters returns the table of all counters. Status messages and metrics are made from it.
func Counters() []Counter {
	return append([]Counter{
		{"callbacks", "callbacks", "", "calls of the audio callback",
			func(s *Status) uint64 { return s.Callbacks }},
		{"played", "played", "blocks", "blocks played, each once and in order",
			func(s *Status) uint64 { return s.Played }},
		{"rescued", "rescued", "blocks", "blocks played from another ring than the active one",
			func(s *Status) uint64 { return s.Rescued }},
		{"concealed", "concealed", "blocks", "blocks' time for which no worker had a block",
			func(s *Status) uint64 { return s.Concealed }},
		{"flips", "flips", "", "changes of the active worker",
			func(s *Status) uint64 { return s.Flips }},
		{"callback_flips", "callback_flips", "", "flips by the audio callback, for lack of lead",
			func(s *Status) uint64 { return s.CallbackFlips }},
		{"removed", "removed", "workers", "dead workers whose ready bit the audio process cleared",
			func(s *Status) uint64 { return s.Removed }},
		{"xruns", "xruns", "", "xruns that the device reported",
			func(s *Status) uint64 { return s.Xruns }},
		{"damaged", "damaged", "blocks", "copies of blocks that differ from what their worker wrote",
			func(s *Status) uint64 { return s.Damaged }},
		{"late", "late", "", "times that a living worker fell below the guard",
			func(s *Status) uint64 { return s.Late }},
		{"overruns", "overruns", "", "callbacks in which the device took more than the lead",
			func(s *Status) uint64 { return s.Overruns }},
		{"mismatches", "mismatches", "", "workers replaced because their sound differed",
			func(s *Status) uint64 { return s.Mismatches }},
		{"failovers", "failovers_total", "", "workers lost",
			func(s *Status) uint64 { return s.FailoversTotal }},
		{"sound_faults", "sound.faults", "", "resets of nodes that produced NaN, infinity or a value above 1e6",
			func(s *Status) uint64 { return s.Sound.Faults }},
		{"sound_limited", "sound.limited", "blocks", "blocks whose output was limited to full scale",
			func(s *Status) uint64 { return s.Sound.Limited }},
		{"sound_offset", "sound.offset", "blocks", "blocks whose output had a steady offset",
			func(s *Status) uint64 { return s.Sound.Offset }},
		{"notes_started", "notes_started", "", "notes and gates that began",
			func(s *Status) uint64 { return s.NotesStarted }},
	}, oscCounters()...)
}

// oscCounters returns the rows of the OSC server.
func oscCounters() []Counter {
	row := func(name, unit, help string, of func(*osc.Stats) uint64) Counter {
		return Counter{"osc_" + name, "osc_stats." + name, unit, help, func(s *Status) uint64 {
			if s.OSCStats == nil {
				return 0
			}
			return of(s.OSCStats)
		}}
	}
	sum := func(name, json, unit, help string, of func(*osc.Stats) map[string]uint64) Counter {
		c := row(name, unit, help, func(s *osc.Stats) (total uint64) {
			for _, n := range of(s) {
				total += n
			}
			return total
		})
		c.JSON = "osc_stats." + json
		return c
	}
	return []Counter{
		row("packets", "", "packets received", func(s *osc.Stats) uint64 { return s.Packets }),
		row("messages", "", "messages received", func(s *osc.Stats) uint64 { return s.Messages }),
		row("failed", "messages", "messages answered with /fail", func(s *osc.Stats) uint64 { return s.Failed }),
		sum("refused", "refused_by_code", "messages", "messages that were refused, for any reason",
			func(s *osc.Stats) map[string]uint64 { return s.RefusedByCode }),
		sum("malformed", "malformed", "elements", "elements that are not OSC",
			func(s *osc.Stats) map[string]uint64 { return s.Malformed }),
		row("replies", "", "packets sent", func(s *osc.Stats) uint64 { return s.Replies }),
		row("read_errors", "", "reads that failed", func(s *osc.Stats) uint64 { return s.ReadErrors }),
		row("denied", "", "packets and connections from addresses that are not allowed",
			func(s *osc.Stats) uint64 { return s.Denied }),
		row("shed", "packets", "packets dropped unread, from a source over its rate",
			func(s *osc.Stats) uint64 { return s.Shed }),
		row("amplification_limited", "", "replies too large for an unverified address",
			func(s *osc.Stats) uint64 { return s.AmplificationLimited }),
		row("rejected", "connections", "connections refused at the limit",
			func(s *osc.Stats) uint64 { return s.Rejected }),
		row("slow_clients", "", "connections closed because the client did not read replies",
			func(s *osc.Stats) uint64 { return s.SlowClients }),
		row("send_dropped", "", "UDP replies dropped because the network was slow",
			func(s *osc.Stats) uint64 { return s.SendDropped }),
		row("dropped", "messages", "messages dropped because the engine was busy",
			func(s *osc.Stats) uint64 { return s.Dropped }),
	}
}
