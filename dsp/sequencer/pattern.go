package sequencer

import (
	"fmt"
	"math"
	"strings"
)

// How much there is.
const (
	Patterns = 128 // numbers 0 to 127
	Tracks   = 16
	MaxSteps = 64 // of a pattern
	Lanes    = 4  // of parameter values in a pattern
)

// Trig is what a step does with the note.
type Trig uint8

// A step is silent, begins a note, begins a louder note, or holds the note before.
const (
	Rest Trig = iota
	Hit
	Accent
	Tie
)

const trigText = ".xX-"

// Whole is 1 for what is counted in thousandths: gates, probabilities, velocities.
const Whole = 1000

// Step is a step of a pattern. A held note (its next step is a tie) ends with the last tie's gate.
type Step struct {
	Trig        Trig
	Has         uint8          // bit n: the step has a value for lane n
	Note        int8           // added to the pattern's Base
	Gate        uint16         // how long the note lasts, of the step, in thousandths: 50 to 1000
	Probability uint16         // of the note, in thousandths; values of lanes come always
	Values      [Lanes]float32 // any finite ones
}

// Pattern is a sequence of steps.
type Pattern struct {
	N          int    // steps, 1 to 64
	Base       int    // a note number 0 to 127 from which the steps' Notes count; at 0 they are note numbers
	Soft, Loud int    // velocities of Hit and Accent, in thousandths
	Seed       uint64 // of the probabilities
	Steps      [MaxSteps]Step
}

// ParsePattern reads a pattern's steps: X is an accent, x a hit, - a tie, . a rest; spaces and | are for the eye. Gates are a half, notes
// 60, velocities 0.7 and 1.
func ParsePattern(text string) (Pattern, error) {
	p := Pattern{Base: 60, Soft: 700, Loud: Whole}
	n := 0
	for _, c := range text {
		if c == ' ' || c == '|' {
			continue
		}
		trig := strings.IndexRune(trigText, c)
		if n++; trig < 0 {
			return Pattern{}, fmt.Errorf("step %d is %q; X, x, . or - are steps", n, c)
		}
		if n <= MaxSteps {
			p.Steps[n-1].Trig = Trig(trig)
		}
	}
	if n < 1 || n > MaxSteps {
		return Pattern{}, fmt.Errorf("a pattern of %d steps; it has 1 to %d", n, MaxSteps)
	}
	p.N = n
	for i := range p.Steps {
		p.Steps[i].Gate, p.Steps[i].Probability = Whole/2, Whole
	}
	return p, nil
}

// String is the text that ParsePattern reads.
func (p *Pattern) String() string {
	var b strings.Builder
	for _, s := range p.Steps[:max(0, min(p.N, MaxSteps))] {
		b.WriteByte(trigText[s.Trig&3])
	}
	return b.String()
}

// Check says what is wrong with a pattern, and where.
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

// fault is Check without an allocation; step is -1 for the pattern as a whole.
func (p *Pattern) fault() (step int, fault string) {
	switch {
	case p.N < 1 || p.N > MaxSteps:
		return -1, "it has 1 to 64 steps"
	case p.Base < 0 || p.Base > 127:
		return -1, "Base is a note, 0 to 127"
	case p.Soft < 0 || p.Soft > Whole || p.Loud < 0 || p.Loud > Whole:
		return -1, "velocities are 0 to 1000 thousandths"
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
		return "it is a rest, a hit, an accent or a tie"
	case s.Gate < 50 || s.Gate > Whole:
		return "gates are 50 to 1000 thousandths"
	case s.Probability > Whole:
		return "probabilities are 0 to 1000 thousandths"
	case s.Has >= 1<<Lanes:
		return "there are lanes 0 to 3"
	}
	for lane, v := range s.Values {
		if s.has(lane) && (math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)) {
			return "values are finite"
		}
	}
	return ""
}

func (s *Step) has(lane int) bool { return s.Has>>lane&1 == 1 }

// SetValue gives the step a value for a lane, 0 to 3.
func (s *Step) SetValue(lane int, v float32) {
	s.Has |= 1 << lane
	s.Values[lane] = v
}

// tidy puts what is not heard into one form, so that equal patterns are equal states.
func (s *Step) tidy() {
	for lane := range s.Values {
		if !s.has(lane) {
			s.Values[lane] = 0
		}
	}
}

// sounds decides by chance whether a step's note comes: by the seed, the track and the step's absolute number alone.
func (p *Pattern) sounds(track int, number int64, probability uint16) bool {
	x := mix(mix(mix(p.Seed)^uint64(track)) ^ uint64(number))
	return x>>32*Whole < uint64(probability)<<32
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood 2014), after its step.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
