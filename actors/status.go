package actors

import (
	"os"
	"time"

	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm"
)

// Status is the engine as it was at one moment. It is what `chronus status --json` prints.
type Status struct {
	PID       int            `json:"pid"`
	Patch     string         `json:"patch"`
	OSC       string         `json:"osc"`
	OSCQuery  string         `json:"oscquery,omitempty"` // where it is told what addresses there are
	OSCStats  *server.Stats  `json:"osc_stats,omitempty"`
	OSCDelays []uint64       `json:"osc_delays,omitempty"` // packets by 2^i microseconds, from when the kernel had them, or by a connection from when they were read, until they were committed
	Since     time.Time      `json:"since"`
	Playing   bool           `json:"playing"`
	Active    ActiveStatus   `json:"active"`
	Clock     uint64         `json:"clock"`
	Committed uint64         `json:"committed"`
	Lead      uint64         `json:"lead"`        // blocks
	LatencyMS float64        `json:"latency_ms"`  // of the lead: from a command to the device
	LeadWhy   string         `json:"lead_reason"` // why the lead is what it is
	Guard     int            `json:"guard"`
	Workers   []WorkerStatus `json:"workers"`
	Redundant bool           `json:"redundant"` // every replica is ready, and none was sent a signal by Kill
	shm.Counters
	Mismatches     uint64     `json:"hash_mismatches_total"`     // workers that were replaced since their sound was wrong
	Sound          shm.Sound  `json:"sound"`                     // what the streams found wrong with their own sound, and mended
	FallbackReason string     `json:"fallback_reason,omitempty"` // why another patch plays than was asked for
	StoppedReason  string     `json:"stopped_reason,omitempty"`  // why no worker is started any more
	CallbackFlips  uint64     `json:"callback_flips"`            // of the flips, those for want of lead
	FailoversTotal uint64     `json:"failovers_total"`
	Failovers      []Failover `json:"failovers"` // the last 4,096
	Rate           int        `json:"rate"`
	Block          int        `json:"block"`
	Channels       int        `json:"channels"`
	Period         int        `json:"period"`
	Backend        string     `json:"backend"`
	Device         string     `json:"device"`
	Preferred      string     `json:"preferred"`         // the device that was asked for, as backend:device
	OnFallback     bool       `json:"on_fallback"`       // it is not that one that plays
	Problem        string     `json:"problem,omitempty"` // what is wrong with the device, though it goes on
	Unheard        bool       `json:"unheard"`           // what plays is heard by nobody: the device is only a clock, or there is none
	Note           string     `json:"note,omitempty"`    // why it is this device, if another was to be
	Path           string     `json:"path,omitempty"`    // the way to the sound card, and why it was chosen
	Advice         string     `json:"advice,omitempty"`  // what would be better
	AudioPID       int        `json:"audio_pid"`
	Wiring         [][]string `json:"wiring,omitempty"` // of each of the device's ports: those it is connected with, or waits for
	Peak           float64    `json:"peak"`             // of the output in the last second, linear
	LastAudible    time.Time  `json:"last_audible"`     // when the output was last above -80 dB
	Muted          bool       `json:"muted"`            // by Mute
	NotesStarted   uint64     `json:"notes_started"`    // and gates, begun since the engine has
	NotesHeld      int        `json:"notes_held"`       // of them, not ended
	Transport      bool       `json:"transport"`        // the sequencer plays
	BootID         string     `json:"boot_id"`          // names this life of the engine
	Version        string     `json:"version"`
	Protocol       uint32     `json:"protocol"`           // of the words in shared memory
	Warnings       []string   `json:"warnings,omitempty"` // what the machine refused
	Events         []string   `json:"events,omitempty"`   // the last ones, oldest first
}

// ActiveStatus is the active word.
type ActiveStatus struct {
	Slot  int    `json:"slot"`
	Epoch uint64 `json:"epoch"`
}

// WorkerStatus is one slot. State is empty, starting, joining, or ready.
type WorkerStatus struct {
	Slot       int     `json:"slot"`
	Generation uint64  `json:"generation"`
	PID        int     `json:"pid"` // 0: no process
	State      string  `json:"state"`
	Ready      bool    `json:"ready"`
	Published  uint64  `json:"published"` // the first block not yet published
	Lead       int64   `json:"lead"`      // blocks ahead of the clock
	Mismatches uint64  `json:"hash_mismatches"`
	Load       float64 `json:"load"` // of a core, over the last second
}

// status collects the Status, but for what only Monitor knows.
func (r *rig) status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return Status{PID: os.Getpid()}
	}
	a, clock, c := r.control.Active(), r.control.Clock(), r.control.Counters()
	for range 10 { // the callback goes on meanwhile: take them from between two blocks
		again := r.control.Clock()
		if again == clock {
			break
		}
		clock, c = again, r.control.Counters()
	}
	st := Status{
		PID: os.Getpid(), Playing: r.control.Transport() == shm.Play && r.audio.opened,
		Active: ActiveStatus{a.Slot(), a.Epoch()}, Clock: clock,
		Committed: r.control.Committed(), Lead: r.control.Lead(), Guard: r.cfg.Guard,
		Redundant: r.whole(), Counters: c, CallbackFlips: c.Flips,
		FailoversTotal: r.history.count, Failovers: append([]Failover{}, r.history.failovers...),
		Rate: r.cfg.Rate, Block: r.cfg.Block, Channels: r.cfg.Channels,
		Period: r.audio.info.Period, Backend: r.audio.info.Backend, Device: r.audio.info.Device, Note: r.audio.info.Note,
	}
	st.LatencyMS, st.LeadWhy = latency(st.Lead, r.geo), leadReason(r.control.View, r.geo)
	st.Flips = r.history.flips
	st.Patch, st.FallbackReason, st.StoppedReason = r.present.name, r.stepped, r.silent
	st.Mismatches = r.mismatches
	st.Sound = r.journal.Status(a.Slot()).Sound
	st.Problem = r.audio.trouble
	if r.wiring != nil {
		st.Wiring = r.wiring.Ports
	}
	st.Preferred, st.OnFallback, st.Unheard = r.preferred().String(), r.audio.info.OnFallback, r.blank()
	st.Path, st.Advice = r.audio.info.Path, r.audio.info.Advice
	if r.audio.running {
		st.AudioPID = r.audio.proc.PID
	}
	for _, s := range r.slots {
		w := WorkerStatus{
			Slot: s.number, Generation: s.gen, State: s.phase.String(), Ready: a.Ready(s.number),
			Published: r.journal.Published(s.number), Mismatches: s.mismatches,
		}
		w.Lead = int64(w.Published) - int64(clock)
		if s.phase != empty {
			w.PID = s.proc.PID
		}
		st.Workers = append(st.Workers, w)
	}
	r.meter.describe(&st)
	return st
}

// redundant tells whether every replica is ready.
func (r *rig) redundant() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.whole()
}

// whole is redundant for who holds the lock: all are ready, none was sent a signal by Kill
// that it has not ended of yet, and none is further behind than lockstep makes it.
func (r *rig) whole() bool {
	if r.closed {
		return false
	}
	top := uint64(0)
	for _, s := range r.slots {
		if s.phase != ready || s.killedAt != 0 || s.dying || s.hung {
			return false
		}
		top = max(top, r.journal.Published(s.number))
	}
	behind := uint64(r.audio.info.Period/r.cfg.Block + 3)
	for _, s := range r.slots {
		if r.journal.Published(s.number)+behind < top {
			return false
		}
	}
	return true
}
