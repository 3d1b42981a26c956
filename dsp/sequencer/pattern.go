package sequencer

import (
	"fmt"
	"math"
	"strings"
)

// The limits of a sequencer.
const (
	Patterns = 128 // numbers 0 to 127
	Tracks   = 16
	MaxSteps = 64 // of a pattern or a track's cycle
	Lanes    = 4  // of parameter values in a pattern
)

// Trig is what a step does with the note.
type Trig uint8

// A step is silent, begins a note, begins a louder note, or holds the last note.
const (
	Rest Trig = iota
	Hit
	Accent
	Tie
)

const trigText = ".xX-"

// Whole is one, in thousandths, the unit of gates, probabilities and velocities.
const Whole = 1000

// Step is a step of a pattern. A note whose next step is a tie ends with the gate of the last tie.
type Step struct {
	Trig        Trig
	Has         uint8          // bit n: the step has a value for lane n
	Note        int8           // in semitones, added to the pattern's Base
	Gate        uint16         // length of the note in thousandths of the step: 50 to 1000
	Probability uint16         // of the note in thousandths; values of lanes always come
	Values      [Lanes]float32 // by lane, finite
}

// Pattern is a sequence of steps.
type Pattern struct {
	N          int    // number of steps, 1 to 64
	Base       int    // note number, 0 to 127; with 0 the steps' Notes are note numbers
	Soft, Loud int    // velocities of Hit and Accent in thousandths
	Seed       uint64 // of the probabilities
	Steps      [MaxSteps]Step
}

// ParsePattern reads the steps of a pattern: X is an accent, x a hit, - a tie, . a rest. Spaces and
//
// are ignored. Gates are 0.5 of a step, the base is note 60, velocities are 0.7 and 1.
func ParsePattern(text string) (Pattern, error) {
	p := Pattern{Base: 60, Soft: 700, Loud: Whole}
	n := 0
	for _, c := range text {
		if c == ' ' || c == '|' {
			continue
		}
		trig := strings.IndexRune(trigText, c)
		if n++; trig < 0 {
			return Pattern{}, fmt.Errorf("step %d is %q; it must be X, x, . or -", n, c)
		}
		if n <= MaxSteps {
			p.Steps[n-1].Trig = Trig(trig)
		}
	}
	if n < 1 || n > MaxSteps {
		return Pattern{}, fmt.Errorf("pattern of %d steps; the number must be 1 to %d", n, MaxSteps)
	}
	p.N = n
	for i := range p.Steps {
		p.Steps[i].Gate, p.Steps[i].Probability = Whole/2, Whole
	}
	return p, nil
}

// String returns a text that ParsePattern reads.
func (p *Pattern) String() string {
	var b strings.Builder
	for _, s := range p.Steps[:max(0, min(p.N, MaxSteps))] {
		b.WriteByte(trigText[s.Trig&3])
	}
	return b.String()
}

// Check returns an error that names the step and the reason if the pattern is invalid.
func (p *Pattern) Check() error {
	switch step, fault := p.fault(); {
	case fault == "":
		return nil
	case step < 0:
		return fmt.Errorf("pattern: %s", fault)
	default:
		return fmt.Errorf("pattern: step %d: %s", step+1, fault)
	}
}

// fault is Check without an allocation. The step counts from 0; -1 is the pattern as a whole.
func (p *Pattern) fault() (step int, fault string) {
	switch {
	case p.N < 1 || p.N > MaxSteps:
		return -1, "N must be 1 to 64 steps"
	case p.Base < 0 || p.Base > 127:
		return -1, "Base must be a note number, 0 to 127"
	case p.Soft < 0 || p.Soft > Whole || p.Loud < 0 || p.Loud > Whole:
		return -1, "Soft and Loud must be 0 to 1000 thousandths"
	}
	for i := range p.Steps[:p.N] {
		if f := p.Steps[i].fault(); f != "" {
			return i, f
		}
	}
	return -1, ""
}

func (s *Step) fault() string {
	switch {
	case s.Trig > Tie:
		return "Trig must be a rest, a hit, an accent or a tie"
	case s.Gate < 50 || s.Gate > Whole:
		return "Gate must be 50 to 1000 thousandths"
	case s.Probability > Whole:
		return "Probability must be 0 to 1000 thousandths"
	case s.Has >= 1<<Lanes:
		return "Has must be bits of the lanes 0 to 3"
	}
	for lane, v := range s.Values {
		if s.has(lane) && (math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)) {
			return "Values must be finite"
		}
	}
	return ""
}

func (s *Step) has(lane int) bool { return s.Has>>lane&1 == 1 }

// SetValue sets the step's value for a lane, 0 to 3.
func (s *Step) SetValue(lane int, v float32) {
	s.Has |= 1 << lane
	s.Values[lane] = v
}

// tidy clears unused values, so that equal patterns give equal states.
func (s *Step) tidy() {
	for lane := range s.Values {
		if !s.has(lane) {
			s.Values[lane] = 0
		}
	}
}

// sounds decides whether a step's note comes. The result depends only on the seed, the track and
// the step's absolute number.
func (p *Pattern) sounds(track int, number int64, probability uint16) bool {
	x := mix(mix(mix(p.Seed)^uint64(track)) ^ uint64(number))
	return x>>32*Whole < uint64(probability)<<32
}

// mix is SplitMix64 (Steele, Lea and Flood 2014): its step, then its finalizer.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
