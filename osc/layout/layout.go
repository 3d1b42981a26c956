// Package layout makes surfaces for controller programs from the addresses of an engine: one page
// for each node of the patch, with a fader for each number, a switch for each name, a button for
// each gate, and keys for notes.
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
	Suffix string // of file names
	write  func(w io.Writer, pages []page) error
}

// Kinds returns the supported programs.
func Kinds() []Kind {
	return []Kind{{"touchosc", ".tosc", touchOSC}, {"open-stage-control", ".json", openStageControl}}
}

// Write writes a layout of the addresses.
func (k Kind) Write(w io.Writer, entries []osc.Entry) error {
	p := pagesOf(entries)
	if len(p) == 0 {
		return fmt.Errorf("layout for %s: no address to control", k.Name)
	}
	if err := k.write(w, p); err != nil {
		return fmt.Errorf("layout for %s: %w", k.Name, err)
	}
	return nil
}

// page groups the addresses of a node, the engine, the sequencer or a track.
type page struct {
	name     string
	controls []control
}

// control is one address on a page.
type control struct {
	osc.Entry
	name string // label on the page
}

// The notes of a page's keyboard.
const (
	lowestKey  = 60
	highestKey = 72
)

// pagesOf groups addresses in their order. It leaves out queries, patch commands, texts and lists:
// they are not controls.
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
	for _, p := range pages { // keys have a line of their own
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

// noteOff is the address that ends the note of a Key's address.
func noteOff(on string) string { return strings.TrimSuffix(on, "on") + "off" }
