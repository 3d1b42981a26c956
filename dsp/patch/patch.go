// Package patch turns a patch's text into a plan: text, then a [Patch] (what the user
// described), then a checked and immutable [Plan] (what a stream runs). Every error says where in the text it
// is, what is wrong, and what would be right.
package patch

import (
	_ "embed"
)

// Limits of a patch.
const (
	MaxText   = 1 << 20
	MaxNodes  = 256
	MaxCables = 1024
	MaxID     = 32
)

// EngineNode is the pseudo node that every plan has as its node 0, with the parameter amp; Out
// is where cables to be heard end. Neither can be the id of a node.
const (
	EngineNode = "engine"
	Out        = "out"
)

//go:embed default.yaml
var defaultText []byte

// Default is the text of the default patch: sine1 > adsr1 > filter1.
func Default() []byte { return append([]byte(nil), defaultText...) }

// Pos is a place in a patch's text, from 1.
type Pos struct{ Line, Column int }

// Patch is a patch as it was written, not yet checked against the modules that exist.
type Patch struct {
	File  string // for messages
	Name  string
	Nodes []Node
	Runs  []Run
	Freq  Target // what /engine/freq sets; the zero Target: nothing
}

// Node is one module in a patch.
type Node struct {
	Pos    Pos
	ID     string
	Type   string
	Params []Setting
}

// Setting is one parameter's value: a number, or a name.
type Setting struct {
	Pos    Pos
	Name   string
	Number float64
	Word   string // if it is not a number
}

// Run is a line of cables, "a > b > out": the ends by id.
type Run struct {
	Pos Pos
	IDs []string
}

// Target is a parameter of a node.
type Target struct {
	Pos         Pos
	Node, Param string
}
