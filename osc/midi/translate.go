package midi

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	gomidi "gitlab.com/gomidi/midi/v2"
)

// generalBend is the range of the pitch wheel in semitones of a device that has set no other
// (General MIDI).
const generalBend = 2

// maxBend is the largest bend that an engine accepts, in semitones.
const maxBend = 24

// Options say what a Translator listens to.
type Options struct {
	Channel int    // 1 to 16; 0: all
	Group   string // of voices that plays the notes; empty: by the channel's number, or the last, as in scores
	Clock   bool   // follow a MIDI clock
}

// Translator turns the bytes of a MIDI input into requests. One goroutine uses it.
type Translator struct {
	opts        Options
	send        func(Request)
	parser      *Parser
	clock       Clock
	now         time.Time
	begin       string // start or continue, to be sent with the next tick; empty: none
	addresses   *Addresses
	bend        float64
	controllers []boundController
	programs    []Program
	notes       map[key]string // held notes, with their group's address
	resettable  map[string]bool
	channels    [16]channel
}

type key struct{ channel, key uint8 }

// channel is the state of a channel: the parameter that data entry sets, and the pitch wheel's
// range.
type channel struct {
	rpn              [2]uint8 // high and low seven bits
	semitones, cents uint8
	ranged           bool
}

// noRPN is the parameter that accepts no data.
var noRPN = [2]uint8{127, 127}

// NewTranslator returns a translator that passes its requests to send, in order.
func NewTranslator(opts Options, send func(Request)) *Translator {
	t := &Translator{opts: opts, send: send, notes: map[key]string{}, resettable: map[string]bool{}, bend: generalBend}
	t.parser = NewParser(t.message)
	t.forget()
	return t
}

// Bind sets a map, and the addresses of the engine, nil if unknown. It returns the errors of the
// bindings that it leaves out.
func (t *Translator) Bind(m Map, a *Addresses) (wrong []error) {
	t.addresses, t.controllers, t.programs, t.bend = a, nil, m.Programs, cmp.Or(m.Bend, generalBend)
	for _, b := range m.Controllers {
		mv, err := b.bind(a)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("map %s:%d:%d: %w", m.File, b.Line, b.Column, err))
			continue
		}
		t.controllers = append(t.controllers, mv)
	}
	return wrong
}

// Bytes translates bytes read from the input at now.
func (t *Translator) Bytes(b []byte, now time.Time) {
	t.now = now
	t.parser.Bytes(b)
}

// Release ends what a lost device holds: notes end, the pedal, wheel and pressure go back to 0.
func (t *Translator) Release() {
	t.endNotes(func(key) bool { return true })
	for _, address := range slices.Sorted(maps.Keys(t.resettable)) {
		t.send(Request{Address: address, Args: []any{float32(0)}})
	}
	clear(t.resettable)
	t.forget()
	t.parser = NewParser(t.message)
}

func (t *Translator) forget() {
	t.clock.Reset()
	t.begin = ""
	for c := range t.channels {
		t.channels[c] = channel{rpn: noRPN}
	}
}

func (t *Translator) message(m gomidi.Message) {
	if m[0] >= firstRealTime {
		t.realTime(m[0])
		return
	}
	var ch, k, v uint8
	var bend int16
	if m[0] >= 0xF0 || t.opts.Channel != 0 && int(m[0]&0x0F) != t.opts.Channel-1 {
		return
	}
	switch {
	case m.GetNoteStart(&ch, &k, &v):
		base := t.group(ch)
		if before, ok := t.notes[key{ch, k}]; ok && before != base { // the patch has changed since
			t.send(Request{Address: before + "/off", Args: []any{int32(k)}})
		}
		t.notes[key{ch, k}] = base
		t.send(Request{Address: base + "/on", Args: []any{int32(k), float32(v) / 127}})
	case m.GetNoteEnd(&ch, &k):
		base, ok := t.notes[key{ch, k}]
		if !ok {
			base = t.group(ch)
		}
		delete(t.notes, key{ch, k})
		t.send(Request{Address: base + "/off", Args: []any{int32(k)}})
	case m.GetPolyAfterTouch(&ch, &k, &v):
		t.send(Request{t.group(ch) + "/pressure", []any{int32(k), float32(v) / 127}, true})
	case m.GetAfterTouch(&ch, &v):
		t.setResettable("/engine/pressure", float64(v)/127, true)
	case m.GetPitchBend(&ch, &bend, nil):
		t.setResettable("/engine/bend", t.bendRange(ch)*float64(bend)/8192, true)
	case m.GetProgramChange(&ch, &v):
		t.program(ch, v)
	case m.GetControlChange(&ch, &k, &v):
		t.controller(ch, k, v)
	}
}

// group is the address of the voices that play a channel's notes.
func (t *Translator) group(ch uint8) string {
	const one = "/note"
	switch {
	case t.opts.Group != "" && t.opts.Group != one[1:]:
		return one + "/" + t.opts.Group
	case t.opts.Group != "" || t.addresses == nil || len(t.addresses.groups) == 0:
		return one
	}
	return t.addresses.groups[min(int(ch), len(t.addresses.groups)-1)]
}

// setResettable sends a value that Release sets back to 0.
func (t *Translator) setResettable(address string, v float64, dense bool) {
	t.resettable[address] = true
	if v == 0 {
		delete(t.resettable, address)
	}
	t.send(Request{address, []any{float32(v)}, dense})
}

func (t *Translator) bendRange(ch uint8) float64 {
	c := &t.channels[ch]
	if !c.ranged {
		return min(t.bend, maxBend)
	}
	return min(float64(c.semitones)+float64(c.cents)/100, maxBend)
}

func (t *Translator) program(ch, program uint8) {
	for _, p := range t.programs {
		if p.Program == int(program) && (p.Channel == 0 || p.Channel == int(ch)+1) {
			t.send(Request{Address: p.Address, Args: p.Args})
		}
	}
}

// The controllers with a meaning of their own (MIDI 1.0).
const (
	modulation   = 1
	dataEntry    = 6
	dataEntryLow = 38
	sustain      = 64
	nrpnLow      = 98
	nrpnHigh     = 99
	rpnLow       = 100
	rpnHigh      = 101
	soundOff     = 120
	resetAll     = 121
	localControl = 122
	notesOff     = 123 // and above: modes, which end notes too
)

func (t *Translator) controller(ch, number, value uint8) {
	mapped := false
	for i := range t.controllers {
		m := &t.controllers[i]
		if m.Controller != int(number) || m.Channel != 0 && m.Channel != int(ch)+1 {
			continue
		}
		mapped = true
		if r, ok := m.request(value); ok {
			t.send(r)
		}
	}
	if mapped {
		return
	}
	c := &t.channels[ch]
	switch number {
	case modulation:
		t.send(Request{"/engine/wheel", []any{float32(value) / 127}, true})
	case sustain:
		if down := value >= 64; down != t.resettable["/engine/sustain"] {
			t.setResettable("/engine/sustain", float64(value/64), false)
		}
	case rpnHigh, rpnLow:
		c.rpn[rpnHigh-number] = value
	case nrpnHigh, nrpnLow:
		c.rpn = noRPN
	case dataEntry, dataEntryLow:
		if c.rpn != [2]uint8{} { // parameter 0 is the pitch wheel's range
			return
		}
		if !c.ranged {
			c.semitones, c.ranged = uint8(math.Round(t.bend)), true
		}
		if number == dataEntry {
			c.semitones = value
		} else {
			c.cents = min(value, 99)
		}
	case resetAll:
		for _, address := range []string{"/engine/bend", "/engine/pressure", "/engine/sustain", "/engine/wheel"} {
			t.setResettable(address, 0, false)
		}
	case localControl:
	default:
		if number == soundOff || number >= notesOff {
			t.endNotes(func(k key) bool { return k.channel == ch })
		}
	}
}

// endNotes ends the held notes that chosen selects, lowest first.
func (t *Translator) endNotes(chosen func(key) bool) {
	for _, k := range slices.SortedFunc(maps.Keys(t.notes), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.key, b.key))
	}) {
		if chosen(k) {
			t.send(Request{Address: t.notes[k] + "/off", Args: []any{int32(k.key)}})
			delete(t.notes, k)
		}
	}
}

func (t *Translator) realTime(status byte) {
	const tick, start, goOn, stop = 0xF8, 0xFA, 0xFB, 0xFC
	if !t.opts.Clock || !t.addresses.has("/seq/bpm") {
		return
	}
	play := func(word string) { t.send(Request{Address: "/seq/play", Args: []any{word}}) }
	switch status {
	case tick:
		if bpm, ok := t.clock.Tick(t.now); ok {
			t.send(Request{Address: "/seq/bpm", Args: []any{float32(math.Round(bpm*100) / 100)}})
		}
		if t.begin != "" {
			play(t.begin)
			t.begin = ""
		}
	case start, goOn:
		word := map[byte]string{start: "start", goOn: "continue"}[status]
		if t.clock.Running(t.now) { // the first beat comes with the next tick
			t.begin = word
			return
		}
		play(word)
	case stop:
		t.begin = ""
		play("stop")
	}
}
