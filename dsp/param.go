package dsp

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Param describes a parameter of a kind of module.
type Param struct {
	Name    string
	Unit    string // Hz, s, or "" for a plain number
	Min     float64
	Max     float64
	OfRate  float64 // if not 0, the maximum is this part of the rate instead of Max
	Default float64
	Names   []string // names of the values 0, 1, ..., which are the only values
	Whole   bool     // only whole numbers are valid
	Doc     string
}

// Range returns the least and the greatest value at a rate in Hz.
func (p *Param) Range(rate float64) (lo, hi float64) {
	if p.OfRate != 0 {
		return p.Min, p.OfRate * rate
	}
	return p.Min, p.Max
}

// Check returns an error that names the valid values if v is not one, at a rate in Hz.
func (p *Param) Check(v, rate float64) error {
	lo, hi := p.Range(rate)
	if math.IsNaN(v) || v < lo || v > hi {
		return fmt.Errorf("%s is %s, it must be %s", p.Name, number(v), p.Domain(rate))
	}
	if (p.Whole || len(p.Names) > 0) && v != math.Trunc(v) {
		return fmt.Errorf("%s is %s, it must be %s", p.Name, number(v), p.Domain(rate))
	}
	return nil
}

// Domain returns the valid values as text, such as "0 to 1", "10 to 23520 Hz" or "lp, hp or bp".
func (p *Param) Domain(rate float64) string {
	if len(p.Names) > 0 {
		last := len(p.Names) - 1
		return strings.Join(p.Names[:last], ", ") + " or " + p.Names[last]
	}
	lo, hi := p.Range(rate)
	s := number(lo) + " to " + number(hi)
	if p.Whole {
		s = "a whole number from " + s
	}
	if p.Unit != "" {
		s += " " + p.Unit
	}
	return s
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 7, 64) }
