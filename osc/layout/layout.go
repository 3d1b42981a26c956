// Package layout makes surfaces for controllers out of the addresses that there are: one page for each node of the patch, with a fader for each
// number, a choice for each name, a button for each gate, and keys for notes.
package layout

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/music-chronus/chronus/osc"
)

// Kind is a controller program.
type Kind struct {
	Name   string
	Suffix string // of its files
	write  func(w io.Writer, pages []page) error
}

// Kinds are the programs that layouts are made for.
func Kinds() []Kind {
	return []Kind{{"touchosc", ".tosc", touchOSC}, {"open-stage-control", ".json", openStageControl}}
}

// Write makes a layout of the addresses.
func (k Kind) Write(w io.Writer, entries []osc.Entry) error {
	p := pagesOf(entries)
	if len(p) == 0 {
		return fmt.Errorf("layout for %s: there is nothing to control", k.Name)
	}
	if err := k.write(w, p); err != nil {
		return fmt.Errorf("layout for %s: %w", k.Name, err)
	}
	return nil
}

// page is what belongs together: what a node, the engine, the sequencer or a track has.
type page struct {
	name     string
	controls []control
}

// control is one address on a page.
type control struct {
	osc.Entry
	name string // on its page
}

// keys are the notes that a page's keyboard has.
const (
	lowestKey  = 60
	highestKey = 72
)

// pagesOf groups addresses, in their order. Those that only ask, change the patch, or take texts and lists are left out: they are no controls.
func pagesOf(entries []osc.Entry) (pages []page) {
	for _, e := range entries {
		if !e.HasValue() && !(e.Kind == osc.Key && strings.HasSuffix(e.Address, "/on")) || e.RequiresToken {
			continue
		}
		parts := strings.Split(e.Address[1:], "/")
		name, label := parts[0], parts[len(parts)-1]
		switch {
		case parts[0] == "gate":
			name, label = parts[1], "gate"
		case len(parts) > 2:
			name = strings.Join(parts[min(1, len(parts)-2):len(parts)-1], "/")
			if parts[0] != "mod" {
				name = parts[0] + " " + name
			}
		}
		if e.Kind == osc.Key {
			label = "keys"
		}
		i := slices.IndexFunc(pages, func(p page) bool { return p.name == name })
		if i < 0 {
			i = len(pages)
			pages = append(pages, page{name: name})
		}
		pages[i].controls = append(pages[i].controls, control{e, label})
	}
	for _, p := range pages { // keys take a line of their own
		slices.SortStableFunc(p.controls, func(a, b control) int { return cmp.Compare(kindOrder(a), kindOrder(b)) })
	}
	return pages
}

func kindOrder(c control) int {
	if c.Kind == osc.Key {
		return 1
	}
	return 0
}

// noteOff is the address that ends what a Key's address begins.
func noteOff(on string) string { return strings.TrimSuffix(on, "on") + "off" }
