// Package tape reads and writes tapes. A tape is what an engine decided, with enough to hear it
// again: JSON lines, first a [Header], then [Line]s in the order of time. Rendering the header's
// state through the lines gives, bit for bit, what was played. Each block on the tape carries the
// hash of the samples that the audio process played, so a [Reader] can tell whether both are the
// same.
//
// An engine writes a tape: see Engine.Record and the request BeginTape of package actors, and
// `chronus tape`. The format has the version 1; readers keep reading it.
package tape

// Version is the format that Writer writes and Reader reads.
const Version = 1

// Header is the first line.
type Header struct {
	Version  int    `json:"version"`
	Patch    string `json:"patch"` // text
	Rate     int    `json:"rate"`  // Hz
	Block    int    `json:"block"` // frames
	Channels int    `json:"channels"`
	From     uint64 `json:"from"`            // number of the first block
	Seq      uint64 `json:"seq"`             // last command before it
	Plan     uint64 `json:"plan"`            // number of the patch's plan
	State    []byte `json:"state,omitempty"` // of the stream at From; empty: From is the stream's first block
}

// Line is one line after the header. One field is set.
type Line struct {
	// Command replaces an earlier command of the same Seq, which was quarantined.
	Command *Command `json:"command,omitempty"`
	Block   *Block   `json:"block,omitempty"`
	Plan    *Plan    `json:"plan,omitempty"`
	Patch   *Patch   `json:"patch,omitempty"`
	// Error says why the tape ends early.
	Error string `json:"error,omitempty"`
}

// Command is a command to the workers. Seq counts commands without a gap.
type Command struct {
	Seq   uint64
	Plan  uint64 // number of the plan that Node and Param belong to; streams of other plans ignore the command
	Frame uint64 // absolute frame; 0: the first frame of the block that the command enters
	Op    uint16 // see the kinds of package dsp/stream; 12 switches to the plan numbered Value
	Node  uint16 // index in the plan
	Param uint16
	Value float64
}

// Block is a block that was played.
type Block struct {
	N     uint64 `json:"n"`
	Seq   uint64 `json:"seq"`            // last command that entered it
	Skip  bool   `json:"skip,omitempty"` // whether the commands that entered it are left out
	Heard uint64 `json:"heard,string"`   // xxHash64 of its samples as they were played
}

// Patch is a patch that plays from block N on, from its initial state.
type Patch struct {
	Text string `json:"text"`
	Plan uint64 `json:"plan"` // number of its plan
	N    uint64 `json:"n"`
	Seq  uint64 `json:"seq"` // last command before N
}

// Plan is a patch that streams can switch to while they play. It stands before the command that
// switches.
type Plan struct {
	Number uint64 `json:"number"`
	Text   string `json:"text"`
}
