package layout

import (
	"compress/zlib"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/music-chronus/chronus/osc"
)

// Sizes in pixels of TouchOSC: those of a tablet, which it scales to the screen.
const (
	wide     = 1024
	tall     = 768
	tabs     = 40 // height of the bar with the pages' names
	cellWide = 128
	cellTall = 340
	caption  = 24
	keysTall = 180
	columns  = wide / cellWide
)

// touchOSC writes a .tosc file: one XML document, deflated. Its format is not documented; this
// follows files that TouchOSC's editor writes.
func touchOSC(w io.Writer, pages []page) error {
	z, err := zlib.NewWriterLevel(w, zlib.BestCompression)
	if err != nil {
		return err
	}
	t := &tosc{out: z}
	t.text("<?xml version='1.0' encoding='UTF-8'?><lexml version='3'>")
	t.node("GROUP", "chronus", rect{0, 0, wide, tall}, nil, nil, func() {
		t.node("PAGER", "pages", rect{0, 0, wide, tall}, func() {
			t.property("b", "tabbar", "1")
			t.property("i", "tabbarSize", fmt.Sprint(tabs))
			t.property("b", "tabLabels", "1")
		}, nil, func() {
			for _, p := range pages {
				t.page(p)
			}
		})
	})
	t.text("</lexml>")
	if t.err != nil {
		return t.err
	}
	return z.Close()
}

// tosc writes XML, and keeps the first error.
type tosc struct {
	out io.Writer
	err error
}

type rect struct{ x, y, w, h int }

func (t *tosc) text(s string) {
	if t.err == nil {
		_, t.err = io.WriteString(t.out, s)
	}
}

func (t *tosc) escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}

func (t *tosc) property(kind, key, value string) {
	t.text("<property type='" + kind + "'><key>" + key + "</key><value>" + value + "</value></property>")
}

// momentary writes the property of a button that is on while it is pressed.
func (t *tosc) momentary() { t.property("i", "buttonType", "0") }

// node writes a node with its properties, messages and children, each of which may be nil.
func (t *tosc) node(kind, name string, r rect, properties, messages, children func()) {
	t.text("<node type='" + kind + "'><properties>")
	t.property("s", "name", t.escaped(name))
	t.property("r", "frame", fmt.Sprintf("<x>%d</x><y>%d</y><w>%d</w><h>%d</h>", r.x, r.y, r.w, r.h))
	if properties != nil {
		properties()
	}
	t.text("</properties>")
	if kind == "LABEL" {
		t.text("<values><value><key>text</key><locked>0</locked><lockedDefaultCurrent>0</lockedDefaultCurrent><default>" +
			t.escaped(name) + "</default><defaultPull>0</defaultPull></value></values>")
	}
	for _, part := range []struct {
		name  string
		write func()
	}{{"messages", messages}, {"children", children}} {
		if part.write != nil {
			t.text("<" + part.name + ">")
			part.write()
			t.text("</" + part.name + ">")
		}
	}
	t.text("</node>")
}

// argument is an argument of a message: a constant, or the control's value scaled to lo..hi.
type argument struct {
	conversion string // INTEGER or FLOAT
	constant   string // "": the control's value
	lo, hi     float64
}

func (a argument) partial() string {
	kind, value := "CONSTANT", a.constant
	if value == "" {
		kind, value = "VALUE", "x"
	}
	return fmt.Sprintf("<partial><type>%s</type><conversion>%s</conversion><value>%s</value>"+
		"<scaleMin>%g</scaleMin><scaleMax>%g</scaleMax></partial>",
		kind, a.conversion, value, a.lo, a.hi)
}

// message writes an OSC message. The control sends it on a condition (ANY, RISE or FALL), and if
// receive is set it follows such messages.
func (t *tosc) message(address, condition string, receive bool, args ...argument) {
	list := ""
	for _, a := range args {
		list += a.partial()
	}
	receives := "0"
	if receive {
		receives = "1"
	}
	t.text("<osc><enabled>1</enabled><send>1</send><receive>" + receives + "</receive><feedback>0</feedback>" +
		"<connections>1111111111</connections>" +
		"<triggers><trigger><var>x</var><condition>" + condition + "</condition></trigger></triggers>" +
		"<path><partial><type>CONSTANT</type><conversion>STRING</conversion><value>" + t.escaped(address) +
		"</value><scaleMin>0</scaleMin><scaleMax>1</scaleMax></partial></path><arguments>" + list + "</arguments></osc>")
}

// page writes a page: rows of cells, smaller if there are many; keys below them; and in the corner
// a button that asks for all values.
func (t *tosc) page(p page) {
	frame := rect{0, tabs, wide, tall - tabs}
	t.node("GROUP", p.name, frame, func() { t.property("s", "tabLabel", t.escaped(p.name)) }, nil, func() {
		t.node("BUTTON", "ask for values", rect{wide - 60, 0, 60, caption}, t.momentary, func() {
			t.message("/notify", "RISE", false, argument{conversion: "INTEGER", constant: "2", hi: 1})
			t.message("/notify/resync", "RISE", false)
		}, nil)
		cells, keys := 0, 0
		for _, c := range p.controls {
			if c.Kind == osc.Key {
				keys++
			} else {
				cells++
			}
		}
		rows := (cells + columns - 1) / columns
		room := frame.h - caption - keys*keysTall
		height := min(cellTall, room/max(rows, 1))
		for i, c := range p.controls[:cells] {
			t.cell(c, rect{i % columns * cellWide, caption + i/columns*height, cellWide, height})
		}
		for i, c := range p.controls[cells:] {
			t.keys(c, rect{0, frame.h - (keys-i)*keysTall, wide, keysTall})
		}
	})
}

// cell writes a control with its name above it.
func (t *tosc) cell(c control, r rect) {
	t.node("LABEL", c.name, rect{r.x, r.y, r.w, caption}, func() { t.property("i", "textSize", "14") }, nil, nil)
	inner := rect{r.x + 8, r.y + caption, r.w - 16, r.h - caption - 8}
	number := argument{conversion: "FLOAT", lo: c.Min, hi: c.Max}
	if c.Whole {
		number.conversion = "INTEGER"
	}
	switch c.Kind {
	case osc.Name:
		t.node("RADIO", c.name, inner, func() {
			t.property("i", "steps", fmt.Sprint(len(c.Names)))
			t.property("i", "orientation", "0")
		}, func() { t.message(c.Address, "ANY", true, argument{conversion: "INTEGER", hi: 1}) }, nil)
	case osc.Gate:
		t.node("BUTTON", c.name, inner, t.momentary,
			func() { t.message(c.Address, "ANY", true, argument{conversion: "FLOAT", hi: 1}) }, nil)
	default:
		t.node("FADER", c.name, inner, nil, func() { t.message(c.Address, "ANY", true, number) }, nil)
	}
}

// keys writes an octave of buttons that begin and end notes.
func (t *tosc) keys(c control, r rect) {
	count := highestKey - lowestKey + 1
	for k := range count {
		key := argument{conversion: "INTEGER", constant: fmt.Sprint(lowestKey + k), hi: 1}
		frame := rect{r.x + k*r.w/count, r.y, r.w/count - 4, r.h - 4}
		t.node("BUTTON", fmt.Sprint(c.name, lowestKey+k), frame, t.momentary, func() {
			t.message(c.Address, "RISE", false, key, argument{conversion: "FLOAT", constant: fmt.Sprint(c.Default), hi: 1})
			t.message(noteOff(c.Address), "FALL", false, key)
		}, nil)
	}
}
