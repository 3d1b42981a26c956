package layout

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/music-chronus/chronus/osc"
)

// openStageControl writes a session of Open Stage Control 1 or later, which the user starts with
// --send HOST:PORT of the engine.
func openStageControl(w io.Writer, pages []page) error {
	root := widget{
		Type: "root", ID: "root", Tabs: []widget{},
	}
	for i, p := range pages {
		tab := widget{
			Type: "tab", ID: fmt.Sprint("tab_", i+1), Label: p.name, Layout: "horizontal", Scroll: true, Widgets: []widget{},
		}
		for k, c := range p.controls {
			tab.Widgets = append(tab.Widgets, widgets(c, fmt.Sprintf("control_%d_%d", i+1, k+1))...)
		}
		ask := widget{
			Type: "button", ID: fmt.Sprint("ask_", i+1), Label: "ask for values", Mode: "tap", Bypass: true,
			Width: 120, Height: 60, OnValue: "send('/notify', 1); send('/notify/resync')",
		}
		tab.Widgets = append(tab.Widgets, ask)
		root.Tabs = append(root.Tabs, tab)
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{
		"createdWith": "Open Stage Control", "version": "1.27.0", "type": "session", "content": root,
	})
}

// widget has the properties of a widget that differ from their defaults.
type widget struct {
	Type     string             `json:"type"`
	ID       string             `json:"id"`
	Label    string             `json:"label,omitempty"`
	Address  string             `json:"address,omitempty"`
	TypeTags string             `json:"typeTags,omitempty"`
	PreArgs  []int              `json:"preArgs,omitempty"`
	Range    map[string]float64 `json:"range,omitempty"`
	LogScale bool               `json:"logScale,omitempty"`
	Decimals *int               `json:"decimals,omitempty"`
	Values   []string           `json:"values,omitempty"`
	Mode     string             `json:"mode,omitempty"`
	On       float64            `json:"on,omitempty"`
	Width    int                `json:"width,omitempty"`
	Height   int                `json:"height,omitempty"`
	Layout   string             `json:"layout,omitempty"`
	Scroll   bool               `json:"scroll,omitempty"`
	Bypass   bool               `json:"bypass,omitempty"`
	OnValue  string             `json:"onValue,omitempty"`
	Widgets  []widget           `json:"widgets,omitempty"`
	Tabs     []widget           `json:"tabs,omitempty"`
}

// logFrom is the ratio of a range's ends from which a fader is logarithmic.
const logFrom = 100

// widgets returns the widgets of a control.
func widgets(c control, id string) (list []widget) {
	w := widget{ID: id, Label: c.name, Address: c.Address, Width: 100}
	switch c.Kind {
	case osc.Name:
		w.Type, w.TypeTags, w.Values, w.Height = "switch", "s", c.Names, 300
	case osc.Gate:
		w.Type, w.Mode, w.TypeTags, w.On, w.Height = "button", "push", "f", 1, 120
	case osc.Key:
		for k := lowestKey; k <= highestKey; k++ {
			list = append(list, widget{
				Type: "button", ID: fmt.Sprint(id, "_", k), Label: fmt.Sprint(k), Mode: "push", Bypass: true,
				Width: 60, Height: 160,
				OnValue: fmt.Sprintf("if (value) send('%s', %d, {type: 'f', value: %g}); else send('%s', %d)",
					c.Address, k, c.Default, noteOff(c.Address), k),
			})
		}
		return list
	default:
		digits := 4
		w.Type, w.TypeTags, w.Height = "fader", "f", 300
		if c.Whole {
			w.TypeTags, digits = "i", 0
		}
		w.Range, w.Decimals = map[string]float64{"min": c.Min, "max": c.Max}, &digits
		w.LogScale = c.Min > 0 && c.Max/c.Min >= logFrom
	}
	return []widget{w}
}
