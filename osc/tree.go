package osc

import "strings"

// branch is a node of a space's tree: the addresses with a common prefix up to a slash.
type branch struct {
	name  string
	entry int // -1: none
	names map[string]*branch
	list  []*branch // the same branches, in the order of the entries
}

// grow adds an address to the tree.
func (b *branch) grow(address string, entry int) {
	for name := range strings.SplitSeq(address[1:], "/") {
		next := b.names[name]
		if next == nil {
			next = &branch{name: name, entry: -1}
			if b.names == nil {
				b.names = map[string]*branch{}
			}
			b.names[name] = next
			b.list = append(b.list, next)
		}
		b = next
	}
	b.entry = entry
}
