// Package patch turns the text of a patch into a plan. [Parse] reads text into a [Patch], which is
// what the user described. [Compile] checks a Patch and makes an immutable [Plan], which a stream
// renders. Errors name the file, line, column and node, what is wrong, and what would be right.
package patch

import (
	_ "embed"
	"slices"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/yaml"
)

// The limits of a patch.
const (
	MaxText   = 1 << 20
	MaxNodes  = 256
	MaxCables = 1024
	MaxID     = 32
	MaxVoices = 256 // of all groups
	MaxGroups = 32
	MaxUnits  = 4096 // modules of all voices
	MaxUnison = 16
)

// EngineNode is the pseudo node 0 of every plan. Out is where audible cables end. Neither can be
// the id of a node. NoteNode is the default id of a voice group. BackType is the type of a feedback
// node, which gives its input one block later and so permits cycles.
const (
	EngineNode = "engine"
	NoteNode   = "note"
	Out        = "out"
	BackType   = "back"
)

//go:embed default.yaml
var defaultText []byte

// Default returns the text of the default patch: sine1 > adsr1 > filter1.
func Default() []byte { return append([]byte(nil), defaultText...) }

// Pos is a place in a patch's text. Lines and columns count from 1.
type Pos = yaml.Pos

// Patch is a patch as written. Parse checks the text's form; Compile checks the patch against the
// known modules.
type Patch struct {
	File   string // for messages
	Name   string
	Nodes  []Node
	Runs   []Run
	Freq   Target // what /engine/freq sets; the zero Target: nothing
	Voices []Voices
	Music  Music

	Samples []Sample
	Modules []*dsp.Desc // of the program that embeds Chronus; set by it after Parse
}

// Voices is a voice group: how its notes are played.
type Voices struct {
	Pos    Pos
	ID     string // of the group's note node
	Count  int
	Steal  Steal
	Glide  float64 // in s, from note to note
	Unison int     // voices of one note
	Detune float64 // in ct, from the lowest voice of a note to the highest
}

// NoGroup is the group of a node outside the voices.
const NoGroup = -1

// Steal is the rule by which a note takes a voice if none sleeps. Released voices come first.
type Steal int

// The steal rules: the voice with the oldest note; the quietest voice; the voice of the same note,
// else the oldest.
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
	Group  int // the index in Voices of the group whose voices each have one; NoGroup: there is one

	Sample   string // the name of its sample in the patch; "": none
	SampleAt Pos
}

// Setting is the value of a parameter: a number or a name.
type Setting struct {
	Pos    Pos
	Name   string
	Number float64
	Word   string // the name; "": Number counts
}

// Run is a line of cables, "a > b.x > out".
type Run struct {
	Pos  Pos
	Ends []End
}

// End is one end of a cable: a node, and possibly one of its ports.
type End struct {
	Node, Port  string
	First, Last bool // in its line
}

// String returns the end as written, node or node.port.
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
