// Package plan reads chaos plans: which faults to inject into an engine, and when. The package
// touches no process. A seeded source of chance settles what a plan leaves open.
package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/music-chronus/chronus/dsp/yaml"
)

// Plan is a list of faults with their times.
type Plan struct {
	Text  string        // as the user wrote it, or a description
	Until time.Duration // if above 0, the plan ends at this time after its beginning

	name  string // for messages
	steps []Step
}

// Step is one fault, or a list of steps, done Repeat times.
type Step struct {
	Faults []string      // kinds, of which chance picks one
	Timed  bool          // At counts and not After
	At     time.Duration // after the plan's beginning
	After  time.Duration // after the end of the step before, which is full redundancy
	Within bool          // After is an upper bound, of which chance takes a part
	Length time.Duration // of a stall; 0: at random
	Repeat int
	Steps  []Step

	pos yaml.Pos
}

// New returns a plan of steps that a program has made. text describes it in reports.
func New(text string, steps ...Step) *Plan { return &Plan{Text: text, steps: steps} }

// AtRandom returns a plan of faults of the given kinds at random times, at most pause apart. The
// plan has count of them, or, if until is above 0, as many as there is time for.
func AtRandom(kinds []string, count int, until, pause time.Duration) *Plan {
	text := strings.Join(kinds, ", ") + " at random"
	if until > 0 {
		text = fmt.Sprintf("%v of %s", until, text)
		count = maxRepeat
	} else {
		text = fmt.Sprintf("%d of %s", count, text)
	}
	p := New(text, Step{Faults: kinds, After: pause, Within: true, Repeat: count})
	p.Until = until
	return p
}

// Walk calls do for each fault of the plan in order, until do returns an error, and returns that.
func (p *Plan) Walk(do func(*Step) error) error { return walk(p.steps, do) }

func walk(steps []Step, do func(*Step) error) error {
	for i := range steps {
		s := &steps[i]
		for range s.Repeat {
			var err error
			if s.Steps != nil {
				err = walk(s.Steps, do)
			} else {
				err = do(s)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Check returns an error for the first kind in the plan that is unknown, or that cannot be injected
// into an engine with so many workers and that command to start it again.
func (p *Plan) Check(workers int, engineCommand string) error {
	return each(p.steps, func(s *Step) error {
		for _, name := range s.Faults {
			k, ok := KindOf(name)
			if !ok {
				return unknown(name)
			}
			if err := k.Check(workers, engineCommand); err != nil {
				if s.pos.Line > 0 {
					return p.source().Errorf(s.pos, "%w", err)
				}
				return err
			}
		}
		return nil
	})
}

// ReplaceAny puts the given kinds in the place of each fault "any".
func (p *Plan) ReplaceAny(kinds []string) {
	_ = each(p.steps, func(s *Step) error {
		if slices.Equal(s.Faults, []string{anyFault}) {
			s.Faults = kinds
		}
		return nil
	})
}

// each calls f once for each step as it is written, without its repetitions.
func each(steps []Step, f func(*Step) error) error {
	for i := range steps {
		if err := f(&steps[i]); err != nil {
			return err
		}
		if err := each(steps[i].Steps, f); err != nil {
			return err
		}
	}
	return nil
}

// Choose draws the kind of a step's fault and the pause before it. One seed gives one sequence.
func (s *Step) Choose(dice *rand.Rand) (kind Kind, pause time.Duration) {
	kind, _ = KindOf(s.Faults[dice.IntN(len(s.Faults))])
	pause = s.After
	if s.Within {
		pause = time.Duration(dice.Int64N(int64(s.After) + 1))
	}
	return kind, pause
}

// CheckKinds returns an error for the first name that is no kind of fault.
func CheckKinds(names []string) error {
	for _, name := range names {
		if _, ok := KindOf(name); !ok {
			return unknown(name)
		}
	}
	return nil
}

func unknown(name string) error {
	return fmt.Errorf("unknown fault %q; the faults are %s", name, strings.Join(KindNames(), ", "))
}

// The shortest and the longest stall that StallLength draws.
const (
	StallLeast = 10 * time.Millisecond
	StallMost  = 10 * time.Second
)

// StallLength draws the length of a stall: the least, times 1 to 10 three times over, so that short
// stalls come as often as long ones.
func StallLength(dice *rand.Rand) time.Duration {
	d := StallLeast
	for range 3 {
		d = time.Duration(float64(d) * (1 + 9*dice.Float64()))
	}
	return min(d, StallMost)
}
