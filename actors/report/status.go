package report

import (
	"time"

	"github.com/music-chronus/chronus/osc"
)

// Status describes an engine at one moment. `chronus status --json` prints it.
type Status struct {
	PID int `json:"pid"`
	// Patch is the name of the patch that plays.
	Patch string `json:"patch"`
	OSCStatus
	Since     time.Time    `json:"since"`
	Playing   bool         `json:"playing"`
	Active    ActiveStatus `json:"active"`
	Clock     uint64       `json:"clock"`     // next block to play
	Committed uint64       `json:"committed"` // highest Seq that every attached ring holds
	LeadStatus
	Workers []WorkerStatus `json:"workers"`
	// Redundant tells that every worker is ready, and that none was sent a signal by Kill.
	Redundant bool `json:"redundant"`
	Totals
	// Sound counts what the active worker's stream had to correct in its output.
	Sound Sound `json:"sound"`
	// FallbackReason says why another patch plays than was requested.
	FallbackReason string `json:"fallback_reason,omitempty"`
	// StoppedReason says why the engine starts no more workers.
	StoppedReason string     `json:"stopped_reason,omitempty"`
	Failovers     []Failover `json:"failovers"` // the last 4,096
	OutputStatus
	PlayStatus
	BootID   string   `json:"boot_id"` // names this life of the engine
	Version  string   `json:"version"`
	Protocol uint32   `json:"protocol"`           // version of the shared memory's layout
	Warnings []string `json:"warnings,omitempty"` // what the machine refused at the start
	Events   []string `json:"events,omitempty"`   // the last ones, oldest first
}

// OSCStatus is the part of a Status that describes the OSC server.
type OSCStatus struct {
	OSC      string     `json:"osc"`                // UDP address
	OSCQuery string     `json:"oscquery,omitempty"` // URL that lists the addresses
	OSCStats *osc.Stats `json:"osc_stats,omitempty"`
	// OSCDelays is a histogram: element i counts the packets that took at most 2^i microseconds
	// until their commands were committed. The time begins when the kernel received a datagram, or
	// when the server read a packet from a connection.
	OSCDelays []uint64 `json:"osc_delays,omitempty"`
}

// LeadStatus is the part of a Status that describes how far workers render ahead.
type LeadStatus struct {
	Lead       uint64  `json:"lead"`        // blocks
	LatencyMS  float64 `json:"latency_ms"`  // duration of the lead
	LeadReason string  `json:"lead_reason"` // why the lead has this length
	Guard      int     `json:"guard"`       // blocks
}

// OutputStatus is the part of a Status that describes the audio process and its device.
type OutputStatus struct {
	Rate       int    `json:"rate"`     // Hz
	Block      int    `json:"block"`    // frames
	Channels   int    `json:"channels"` // of the device
	Period     int    `json:"period"`   // frames
	Backend    string `json:"backend"`
	Device     string `json:"device"`
	Preferred  string `json:"preferred"`         // requested device, as backend:device
	OnFallback bool   `json:"on_fallback"`       // whether another device than the preferred one plays
	Problem    string `json:"problem,omitempty"` // what is wrong with the device, which keeps playing
	Unheard    bool   `json:"unheard"`           // whether the device is only a clock, or none plays
	Note       string `json:"note,omitempty"`    // why this device plays, if another was requested
	Path       string `json:"path,omitempty"`    // route to the sound card, and why it was chosen
	Advice     string `json:"advice,omitempty"`  // how to get a better route
	AudioPID   int    `json:"audio_pid"`
	// Wiring lists, for each port of the device, the ports that it is connected with or waits for.
	Wiring [][]string `json:"wiring,omitempty"`
}

// PlayStatus is the part of a Status that describes what is heard.
type PlayStatus struct {
	Peak         float64   `json:"peak"`          // of the output in the last second, linear
	LastAudible  time.Time `json:"last_audible"`  // when the output was last above -80 dB
	Muted        bool      `json:"muted"`         // by Mute
	NotesStarted uint64    `json:"notes_started"` // notes and gates, since the engine started
	NotesHeld    int       `json:"notes_held"`    // of them, those that have not ended
	Transport    bool      `json:"transport"`     // whether the sequencer plays
}

// ActiveStatus is the active word.
type ActiveStatus struct {
	Slot  int    `json:"slot"`
	Epoch uint64 `json:"epoch"`
}

// WorkerStatus describes one slot. State is empty, starting, joining, or ready.
type WorkerStatus struct {
	Slot       int     `json:"slot"`
	Generation uint64  `json:"generation"`
	PID        int     `json:"pid"` // 0: no process
	State      string  `json:"state"`
	Ready      bool    `json:"ready"`
	Published  uint64  `json:"published"` // first block that is not published yet
	Lead       int64   `json:"lead"`      // blocks ahead of the clock
	Load       float64 `json:"load"`      // of one core, over the last second
}

// Failover is one loss of a worker, from its end to full redundancy. The durations are in
// microseconds. They begin at the kill if Engine.Kill sent it, and else at the detection, since
// the engine cannot know when another program killed the worker.
type Failover struct {
	At          time.Time `json:"at"`
	Slot        int       `json:"slot"`
	Generation  uint64    `json:"generation"`
	PID         int       `json:"pid"`
	Cause       string    `json:"cause"`
	FromKill    bool      `json:"from_kill"`
	DetectUS    float64   `json:"detect_us"`    // until the detection; 0 if FromKill is false
	FlipUS      float64   `json:"flip_us"`      // until the flip; 0 if the worker was a standby
	RedundantUS float64   `json:"redundant_us"` // until every worker was ready again; 0: not yet
	ByCallback  bool      `json:"by_callback"`  // whether the audio callback flipped, for lack of lead
}

// Killed is a worker process that Engine.Kill sent a signal to.
type Killed struct {
	Slot       int    `json:"slot"`
	Generation uint64 `json:"generation"`
	PID        int    `json:"pid"`
	At         int64  `json:"at"` // CLOCK_MONOTONIC, ns
}

// Commit is a patch change that was carried out.
type Commit struct {
	Number uint64 `json:"commit"` // of the plan that plays from then on
	Block  uint64 `json:"block"`  // first block that the plan renders
	Frame  uint64 `json:"frame"`  // first frame of that block
}
