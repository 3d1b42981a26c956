package midi

import (
	"fmt"
	"math"

	"github.com/music-chronus/chronus/dsp/yaml"
	"github.com/music-chronus/chronus/osc"
)

// Pos is a position in a map's text, from 1.
type Pos = yaml.Pos

// Map says what controllers and programs do. With the zero Map only standard controllers have an
// effect.
type Map struct {
	File        string  // for messages
	Bend        float64 // range of the pitch wheel in semitones, until the device sets another; 0: 2
	Controllers []Binding
	Programs    []Program
	list        list // position of the controllers
}

// Binding connects a controller to an address.
type Binding struct {
	Pos
	Channel    int // 1 to 16; 0: any
	Controller int // 0 to 119
	Address    string
	Ranged     bool    // Min and Max are given; else those of the address count
	Min, Max   float64 // the values at 0 and at 127
	Curve      Curve
}

// Program connects a program number to a message.
type Program struct {
	Pos
	Channel int // 1 to 16; 0: any
	Program int // 0 to 127
	Address string
	Args    []any // one number or word, or none
}

// Curve maps the values of a controller to the range of an address.
type Curve int

// The curves. CurveAuto is CurveExp for a range in Hz above 0, else CurveLin. CurveLin has equal
// steps, CurveExp equal ratios.
const (
	CurveAuto Curve = iota
	CurveLin
	CurveExp
)

// curves are their names in a map. A map without curve means CurveAuto.
var curves = []string{"", "lin", "exp"}

// String returns the binding as a line of a map.
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

// maxController is the highest controller. Higher numbers are channel mode messages.
const maxController = 119

// Addresses are the addresses of an engine.
type Addresses struct {
	space  *osc.Space
	index  map[string]int
	groups []string // prefixes of /on and /off, one for each group of voices, in the order of the patch
}

// NewAddresses returns the addresses of an engine's entries.
func NewAddresses(entries []osc.Entry) (*Addresses, error) {
	space, err := osc.NewSpace(entries)
	if err != nil {
		return nil, fmt.Errorf("addresses of the engine: %w", err)
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

// find returns the entry of an address. The error names the nearest address.
func (a *Addresses) find(address string) (osc.Entry, error) {
	if i, ok := a.index[address]; ok {
		return a.space.Entries()[i], nil
	}
	_, _, err := a.space.Resolve(&osc.Message{Address: []byte(address)})
	return osc.Entry{}, err
}

// has reports whether the engine has an address, or may have it: a nil Addresses is unknown.
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

// Check reports what is wrong with a binding for an engine with addresses a. A nil a is unknown.
func (b Binding) Check(a *Addresses) error {
	_, err := b.bind(a)
	return err
}

// bind finds the range of a binding.
func (b Binding) bind(a *Addresses) (m boundController, err error) {
	m = boundController{Binding: b, lo: b.Min, hi: b.Max}
	switch {
	case a == nil && !b.Ranged:
		return m, fmt.Errorf("%s: no min and max, and no engine to ask for them", b.Address)
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
		return m, fmt.Errorf("%s: a gate is on or off, and takes no min and max", b.Address)
	case e.Kind == osc.Gate:
		m.gate = true
		return m, nil
	case e.Kind != osc.Number:
		return m, fmt.Errorf("%s: not a single number: a controller moves a parameter or a gate", b.Address)
	}
	m.whole = e.Whole
	if !b.Ranged {
		m.lo, m.hi = e.Min, e.Max
	} else if lo, hi := min(m.lo, m.hi), max(m.lo, m.hi); lo < e.Min || hi > e.Max {
		return m, fmt.Errorf("%s: min %g and max %g: outside its range, %g to %g", b.Address, b.Min, b.Max, e.Min, e.Max)
	}
	m.exp = b.Curve == CurveExp || b.Curve == CurveAuto && e.Unit == "Hz" && m.lo > 0 && m.hi > 0
	if m.exp && !(m.lo > 0 && m.hi > 0) {
		return m, fmt.Errorf("%s: curve exp needs min and max above 0; got %g and %g", b.Address, m.lo, m.hi)
	}
	return m, nil
}

// request returns the request for a controller's value, 0 to 127. ok is false if the parameter
// keeps its value.
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
