package query

import (
	"maps"
	"slices"
	"strings"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
)

// node is an address, or what addresses have in common up to a slash, as the proposal wants it in JSON. What is not there is left out.
type node struct {
	Path        string           `json:"FULL_PATH"`
	Contents    map[string]*node `json:"CONTENTS,omitempty"`
	Description string           `json:"DESCRIPTION,omitempty"`
	Access      int              `json:"ACCESS"`         // 0: it is only a container, 1 read, 2 write, 3 both
	Type        *string          `json:"TYPE,omitempty"` // a pointer: that of what takes nothing is empty
	Value       []any            `json:"VALUE,omitempty"`
	Range       []span           `json:"RANGE,omitempty"`
	Unit        []string         `json:"UNIT,omitempty"`
	ClipMode    []string         `json:"CLIPMODE,omitempty"`
	Tags        []string         `json:"TAGS,omitempty"`
}

// span is what one argument may be.
type span struct {
	Min    *float64 `json:"MIN,omitempty"`
	Max    *float64 `json:"MAX,omitempty"`
	Values []any    `json:"VALS,omitempty"`
}

// What is done with an address.
const (
	accessRead = 1 << iota
	accessWrite
)

// units are those that the proposal names otherwise, by how they are written here.
func units() map[string]string {
	return map[string]string{
		"Hz": "frequency.Hz", "s": "time.second", "ms": "time.millisecond", "dB": "gain.dB", "st": "frequency.semitone", "bpm": "speed.bpm",
	}
}

// nodeOf is one address, without what is under it.
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
	if len(n.Range) > 0 { // what is out of range is refused, and not made to fit
		n.ClipMode = slices.Repeat([]string{"none"}, len(types))
	}
	if e.RequiresToken {
		n.Tags = []string{"guarded"}
	}
	if e.Usage != "" {
		n.Description += "; takes " + e.Usage
	}
	return n
}

// rangeOf is what the arguments of an entry may be, one for each of its types.
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

// tree is what there is at and under a path; nil: nothing.
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

// insert puts an address into its place under a container.
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
	leaf.Contents = n.Contents // an address may have others under it, like /notify
	*n = *leaf
}

// attribute is one of a node's, by its name; known is false if there is none of that name, has if this node lacks it.
func (n *node) attribute(name string) (v any, known, has bool) {
	var typ any
	if n.Type != nil {
		typ = *n.Type
	}
	all := map[string]struct {
		v   any
		has bool
	}{
		"FULL_PATH": {n.Path, true}, "CONTENTS": {n.Contents, n.Contents != nil}, "DESCRIPTION": {n.Description, n.Description != ""}, "ACCESS": {n.Access, true},
		"TYPE": {typ, n.Type != nil}, "VALUE": {n.Value, n.Value != nil}, "RANGE": {n.Range, n.Range != nil}, "UNIT": {n.Unit, n.Unit != nil},
		"CLIPMODE": {n.ClipMode, n.ClipMode != nil}, "TAGS": {n.Tags, n.Tags != nil},
	}
	a, known := all[name]
	return a.v, known, a.has
}

// hostInfo is what the proposal wants of HOST_INFO.
type hostInfo struct {
	Name       string          `json:"NAME"`
	Extensions map[string]bool `json:"EXTENSIONS"`
	OSCIP      string          `json:"OSC_IP"`
	OSCPort    int             `json:"OSC_PORT"`
	Transport  string          `json:"OSC_TRANSPORT"`
	WSIP       string          `json:"WS_IP"`
	WSPort     int             `json:"WS_PORT"`
}

// extensions are what of the proposal's optional parts there is, and is not.
func extensions() map[string]bool {
	all := map[string]bool{}
	for _, has := range []string{"ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "CLIPMODE", "TAGS", "LISTEN", "PATH_CHANGED", "PATH_ADDED", "PATH_REMOVED"} {
		all[has] = true
	}
	for _, lacks := range []string{"EXTENDED_TYPE", "CRITICAL", "OVERLOADS", "HTML", "PATH_RENAMED"} {
		all[lacks] = false
	}
	return maps.Clone(all)
}
