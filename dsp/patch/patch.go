// Package patch turns a patch's text into a plan: text, then a [Patch] (what the user
// described), then a checked and immutable [Plan] (what a stream runs). Every error says where in the text it
// is, what is wrong, and what would be right.
package patch

import (
	_ "embed"
	"slices"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/yaml"
)

// Limits of a patch.
const (
	MaxText   = 1 << 20
	MaxNodes  = 256
	MaxCables = 1024
	MaxID     = 32
	MaxVoices = 256 // of all groups together
	MaxGroups = 32
	MaxUnits  = 4096 // nodes of all voices
	MaxUnison = 16
)

// EngineNode is the pseudo node that every plan has as its node 0; Out
// is where cables to be heard end. Neither can be the id of a node. NoteNode is the id of voices that are given none. BackType is the type of the node that lets cables go round.
const (
	EngineNode = "engine"
	NoteNode   = "note"
	Out        = "out"
	BackType   = "back"
)

//go:embed default.yaml
var defaultText []byte

// Default is the text of the default patch: sine1 > adsr1 > filter1.
func Default() []byte { return append([]byte(nil), defaultText...) }

// Pos is a place in a patch's text, from 1.
type Pos = yaml.Pos

// Patch is a patch as it was written, not yet checked against the modules that exist.
type Patch struct {
	File   string // for messages
	Name   string
	Nodes  []Node
	Runs   []Run
	Freq   Target // what /engine/freq sets; the zero Target: nothing
	Voices []Voices
	Music  Music

	Samples []Sample
	Modules []*dsp.Desc // that a program has besides those of dsp/module. The caller's, after Parse
}

// Voices is a group of voices: how the notes for it are played.
type Voices struct {
	Pos    Pos
	ID     string // of the pseudo node that says what a voice plays
	Count  int
	Steal  Steal
	Glide  float64 // from note to note, in s
	Unison int     // voices for each note
	Detune float64 // from the lowest of them to the highest, in ct
}

// NoGroup is the group of a node that stands outside the voices.
const NoGroup = -1

// Steal is which voice a note takes that finds none free. Those whose notes have ended come first.
type Steal int

// The ways to steal: the voice that has sounded for the longest; the quietest; that of the same note, else the oldest.
const (
	StealOldest Steal = iota
	StealQuietest
	StealSame
)

// steals are the names of the steal rules in a patch, in order.
var steals = []string{"oldest", "quietest", "same"}

// StealNames returns the names of the steal rules in a patch, in the order of their values.
func StealNames() []string { return slices.Clone(steals) }

// Node is one module in a patch.
type Node struct {
	Pos    Pos
	ID     string
	Type   string
	Params []Setting
	Group  int // there is one for each voice of this group, an index into Voices; NoGroup: just one

	Sample   string // the name of what it plays; "": nothing
	SampleAt Pos
}

// Setting is one parameter's value: a number, or a name.
type Setting struct {
	Pos    Pos
	Name   string
	Number float64
	Word   string // if it is not a number
}

// Run is a line of cables, "a > b.x > out".
type Run struct {
	Pos  Pos
	Ends []End
}

// End is where cables end or begin: a node, and perhaps one of its ports by name.
type End struct {
	Node, Port  string
	First, Last bool // of its line
}

// String is the end as it is written.
func (e End) String() string {
	if e.Port == "" {
		return clip(e.Node)
	}
	return clip(e.Node) + "." + clip(e.Port)
}

// Target is a parameter of a node.
type Target struct {
	Pos         Pos
	Node, Param string
}
