package midi

import (
	"fmt"
	"math"

	"github.com/music-chronus/chronus/dsp/yaml"
	"github.com/music-chronus/chronus/osc"
)

// Pos is a place in a map's text, from 1.
type Pos = yaml.Pos

// Map says what controllers and programs mean. The zero Map: nothing but what every controller means by itself.
type Map struct {
	File        string  // for messages
	Bend        float64 // semitones of a whole turn of the pitch wheel, until the device says otherwise; 0: 2
	Controllers []Binding
	Programs    []Program
	list        list // where a line can be added
}

// Binding is a controller, and the address that it moves.
type Binding struct {
	Pos
	Channel    int // 1 to 16; 0: any
	Controller int // 0 to 119
	Address    string
	Ranged     bool    // Min and Max were given; else they are the address's own
	Min, Max   float64 // the values at 0 and at 127
	Curve      Curve
}

// Program is a program number, and the message that choosing it sends.
type Program struct {
	Pos
	Channel int // 1 to 16; 0: any
	Program int // 0 to 127
	Address string
	Args    []any // one number or word, or none
}

// Curve is how a controller's way is laid over the range of an address.
type Curve int

// The curves: exp for a range in Hz above 0, else lin; equal steps; equal ratios.
const (
	CurveAuto Curve = iota
	CurveLin
	CurveExp
)

// curves are their names in a map; CurveAuto is written by leaving the key out.
var curves = []string{"", "lin", "exp"}

// String is a binding as a line of a map.
func (b Binding) String() string {
	s := "{"
	if b.Channel != 0 {
		s += fmt.Sprintf("channel: %d, ", b.Channel)
	}
	s += fmt.Sprintf("controller: %d, address: %s", b.Controller, b.Address)
	if b.Ranged {
		s += fmt.Sprintf(", min: %g, max: %g", b.Min, b.Max)
	}
	if b.Curve != CurveAuto {
		s += ", curve: " + curves[b.Curve]
	}
	return s + "}"
}

// maxController is the highest controller; those above are messages of the channel's mode.
const maxController = 119

// Addresses are those of an engine, by name.
type Addresses struct {
	space  *osc.Space
	index  map[string]int
	groups []string // what comes before /on and /off, a group of voices each, in the order of the patch
}

// NewAddresses takes the addresses that an engine has told.
func NewAddresses(entries []osc.Entry) (*Addresses, error) {
	space, err := osc.NewSpace(entries)
	if err != nil {
		return nil, fmt.Errorf("the engine's addresses: %w", err)
	}
	a := &Addresses{space: space, index: map[string]int{}}
	for i, e := range entries {
		a.index[e.Address] = i
		if base := len(e.Address) - len("/on"); e.Kind == osc.Key && base > 0 && e.Address[base:] == "/on" {
			a.groups = append(a.groups, e.Address[:base])
		}
	}
	return a, nil
}

// find is the entry of an address. The error names the nearest. A nil Addresses knows none.
func (a *Addresses) find(address string) (osc.Entry, error) {
	if i, ok := a.index[address]; ok {
		return a.space.Entries()[i], nil
	}
	_, _, err := a.space.Resolve(&osc.Message{Address: []byte(address)})
	return osc.Entry{}, err
}

// has tells whether the engine has an address; one that nobody asked may.
func (a *Addresses) has(address string) bool {
	if a == nil {
		return true
	}
	_, ok := a.index[address]
	return ok
}

// boundController is a binding with its range.
type boundController struct {
	Binding
	lo, hi           float64
	exp, whole, gate bool
	last             float64 // of whole and gate
	moved            bool
}

// Check says what is wrong with a binding at an engine that has these addresses; nil: at one that was not asked.
func (b Binding) Check(a *Addresses) error {
	_, err := b.bind(a)
	return err
}

// bind finds the range of a binding.
func (b Binding) bind(a *Addresses) (m boundController, err error) {
	m = boundController{Binding: b, lo: b.Min, hi: b.Max}
	switch {
	case a == nil && !b.Ranged:
		return m, fmt.Errorf("%s has no min and max, and no engine is there to ask for them", b.Address)
	case a == nil:
		m.exp = b.Curve == CurveExp
		return m, nil
	}
	e, err := a.find(b.Address)
	if err != nil {
		return m, fmt.Errorf("%s: %w", b.Address, err)
	}
	if e.Kind == osc.Name {
		e.Kind, e.Min, e.Max, e.Whole = osc.Number, 0, float64(len(e.Names)-1), true
	}
	switch {
	case e.Kind == osc.Gate && b.Ranged:
		return m, fmt.Errorf("%s is a gate: it is on or off, and takes no min and max", b.Address)
	case e.Kind == osc.Gate:
		m.gate = true
		return m, nil
	case e.Kind != osc.Number:
		return m, fmt.Errorf("%s takes no single number: a controller moves a parameter or a gate", b.Address)
	}
	m.whole = e.Whole
	if !b.Ranged {
		m.lo, m.hi = e.Min, e.Max
	} else if lo, hi := min(m.lo, m.hi), max(m.lo, m.hi); lo < e.Min || hi > e.Max {
		return m, fmt.Errorf("%s: min %g and max %g: it takes %g to %g", b.Address, b.Min, b.Max, e.Min, e.Max)
	}
	m.exp = b.Curve == CurveExp || b.Curve == CurveAuto && e.Unit == "Hz" && m.lo > 0 && m.hi > 0
	if m.exp && !(m.lo > 0 && m.hi > 0) {
		return m, fmt.Errorf("%s: curve exp needs min and max above 0, not %g and %g", b.Address, m.lo, m.hi)
	}
	return m, nil
}

// request is what a controller's value, 0 to 127, sends; ok is false if that says nothing new.
func (m *boundController) request(value uint8) (r Request, ok bool) {
	x := float64(value) / 127
	var v float64
	switch {
	case m.gate:
		if v = 0; value >= 64 {
			v = 1
		}
	case value == 127:
		v = m.hi
	case m.exp:
		v = m.lo * math.Pow(m.hi/m.lo, x)
	default:
		v = m.lo + (m.hi-m.lo)*x
	}
	if m.whole {
		v = math.Round(v)
	}
	if (m.whole || m.gate) && m.moved && v == m.last {
		return r, false
	}
	m.last, m.moved = v, true
	return Request{m.Address, []any{float32(v)}, !m.gate}, true
}
