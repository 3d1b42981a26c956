package query

import (
	"maps"
	"slices"
	"strings"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
)

// node is an address, or the common prefix of addresses, as the proposal's JSON has it.
type node struct {
	Path        string           `json:"FULL_PATH"`
	Contents    map[string]*node `json:"CONTENTS,omitempty"`
	Description string           `json:"DESCRIPTION,omitempty"`
	Access      int              `json:"ACCESS"`         // 0: a container, 1: read, 2: write, 3: both
	Type        *string          `json:"TYPE,omitempty"` // a pointer, since the type of no arguments is empty
	Value       []any            `json:"VALUE,omitempty"`
	Range       []span           `json:"RANGE,omitempty"`
	Unit        []string         `json:"UNIT,omitempty"`
	ClipMode    []string         `json:"CLIPMODE,omitempty"`
	Tags        []string         `json:"TAGS,omitempty"`
}

// span is the range of one argument.
type span struct {
	Min    *float64 `json:"MIN,omitempty"`
	Max    *float64 `json:"MAX,omitempty"`
	Values []any    `json:"VALS,omitempty"`
}

// Bits of ACCESS.
const (
	accessRead = 1 << iota
	accessWrite
)

// units maps units to the proposal's names for them.
func units() map[string]string {
	return map[string]string{
		"Hz": "frequency.Hz", "s": "time.second", "ms": "time.millisecond", "dB": "gain.dB",
		"st": "frequency.semitone", "bpm": "speed.bpm",
	}
}

// nodeOf returns the node of one address, without its contents.
func nodeOf(v feed.Values, entry int) *node {
	e := &v.Space().Entries()[entry]
	types := e.Types()
	n := &node{Path: e.Address, Description: e.Doc, Access: accessWrite, Type: &types, Range: rangeOf(e)}
	if x, _, ok := v.Value(entry); ok {
		n.Access |= accessRead
		n.Value = []any{e.Argument(x, false)}
	}
	if e.Unit != "" {
		unit := e.Unit
		if named := units()[unit]; named != "" {
			unit = named
		}
		n.Unit = slices.Repeat([]string{unit}, len(types))
	}
	if len(n.Range) > 0 { // values out of range are refused, not clipped
		n.ClipMode = slices.Repeat([]string{"none"}, len(types))
	}
	if e.RequiresToken {
		n.Tags = []string{"requires_token"}
	}
	if e.Usage != "" {
		n.Description += "; takes " + e.Usage
	}
	return n
}

// rangeOf returns the ranges of an entry's arguments, one for each type tag.
func rangeOf(e *osc.Entry) []span {
	numbers := func(lo, hi float64) span { return span{Min: &lo, Max: &hi} }
	switch e.Kind {
	case osc.Number:
		return []span{numbers(e.Min, e.Max)}
	case osc.Gate:
		return []span{numbers(0, 1)}
	case osc.List:
		return slices.Repeat([]span{numbers(e.Min, e.Max)}, len(e.Types()))
	case osc.Key:
		keys := numbers(0, osc.AllKeys-1)
		if e.Min < e.Max {
			return []span{keys, numbers(e.Min, e.Max)}
		}
		return []span{keys}
	case osc.Name:
		var s span
		for _, n := range e.Names {
			s.Values = append(s.Values, n)
		}
		return []span{s}
	}
	return nil
}

// tree returns the node at a path with its contents, or nil.
func tree(v feed.Values, path string) *node {
	root := &node{Path: "/", Description: "a Chronus engine"}
	for i := range v.Space().Entries() {
		address := v.Space().Entries()[i].Address
		if path == "/" || address == path || strings.HasPrefix(address, path+"/") {
			root.insert(nodeOf(v, i))
		}
	}
	at := root
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if name == "" {
			break
		}
		if at = at.Contents[name]; at == nil {
			return nil
		}
	}
	return at
}

// insert puts the node of an address below a container.
func (n *node) insert(leaf *node) {
	names := strings.Split(leaf.Path[1:], "/")
	for i, name := range names {
		next := n.Contents[name]
		switch {
		case next == nil:
			next = &node{Path: "/" + strings.Join(names[:i+1], "/")}
			if n.Contents == nil {
				n.Contents = map[string]*node{}
			}
			n.Contents[name] = next
		}
		n = next
	}
	leaf.Contents = n.Contents // an address may have others below it, like /notify
	*n = *leaf
}

// attribute returns an attribute of the node. known is false for an unknown name. has is false if
// this node lacks the attribute.
func (n *node) attribute(name string) (v any, known, has bool) {
	var typ any
	if n.Type != nil {
		typ = *n.Type
	}
	all := map[string]struct {
		v   any
		has bool
	}{
		"FULL_PATH": {n.Path, true}, "CONTENTS": {n.Contents, n.Contents != nil},
		"DESCRIPTION": {n.Description, n.Description != ""}, "ACCESS": {n.Access, true},
		"TYPE": {typ, n.Type != nil}, "VALUE": {n.Value, n.Value != nil},
		"RANGE": {n.Range, n.Range != nil}, "UNIT": {n.Unit, n.Unit != nil},
		"CLIPMODE": {n.ClipMode, n.ClipMode != nil}, "TAGS": {n.Tags, n.Tags != nil},
	}
	a, known := all[name]
	return a.v, known, a.has
}

// hostInfo is the JSON of HOST_INFO.
type hostInfo struct {
	Name       string          `json:"NAME"`
	Extensions map[string]bool `json:"EXTENSIONS"`
	OSCIP      string          `json:"OSC_IP"`
	OSCPort    int             `json:"OSC_PORT"`
	Transport  string          `json:"OSC_TRANSPORT"`
	WSIP       string          `json:"WS_IP"`
	WSPort     int             `json:"WS_PORT"`
}

// extensions says which optional parts of the proposal the server has.
func extensions() map[string]bool {
	all := map[string]bool{}
	for _, has := range []string{
		"ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "CLIPMODE", "TAGS", "LISTEN",
		"PATH_CHANGED", "PATH_ADDED", "PATH_REMOVED",
	} {
		all[has] = true
	}
	for _, lacks := range []string{"EXTENDED_TYPE", "CRITICAL", "OVERLOADS", "HTML", "PATH_RENAMED"} {
		all[lacks] = false
	}
	return maps.Clone(all)
}
