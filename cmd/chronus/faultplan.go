package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/music-chronus/chronus/dsp/yaml"
)

// faultPlan is what chaos is to do and when.
type faultPlan struct {
	name  string // for messages and the report
	text  string // as the user wrote it
	steps []faultStep
	until time.Duration // for chance: when to end; 0: when the steps are done
}

// faultStep is one fault, or a list of steps, done repeat times.
type faultStep struct {
	place  yaml.Pos      // in its text
	faults []string      // one of them, at random
	timed  bool          // at counts
	at     time.Duration // after the plan's beginning
	after  time.Duration // after the end of the step before, which is full redundancy
	within bool          // after is the most, and chance takes a part of it
	length time.Duration // of a stall; 0: at random
	repeat int
	steps  []faultStep
}

// atRandom is the plan of faults by chance from the given kinds: count of them, or as many as there is time for.
func atRandom(faults []string, count int, until, pause time.Duration) *faultPlan {
	text := strings.Join(faults, ", ") + " at random"
	if until > 0 {
		text = fmt.Sprintf("%v of %s", until, text)
		count = maxRepeat
	} else {
		text = fmt.Sprintf("%d of %s", count, text)
	}
	step := faultStep{faults: faults, after: pause, within: true, repeat: count}
	return &faultPlan{text: text, steps: []faultStep{step}, until: until}
}

// walk calls do for every fault of the plan in order.
func (p *faultPlan) walk(do func(*faultStep) error) error { return walkSteps(p.steps, do) }

func walkSteps(steps []faultStep, do func(*faultStep) error) error {
	for i := range steps {
		s := &steps[i]
		for range s.repeat {
			var err error
			if s.steps != nil {
				err = walkSteps(s.steps, do)
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

// fits tells whether every kind in the plan can be done to the engine.
func (p *faultPlan) fits(replicas int, engineCommand string) error {
	return everyStep(p.steps, func(s *faultStep) error {
		for _, name := range s.faults {
			k, ok := kindOf(name)
			if !ok {
				return fmt.Errorf("no fault %q; there are %s", name, strings.Join(kindNames(), ", "))
			}
			if err := k.fits(replicas, engineCommand); err != nil {
				if s.place.Line > 0 {
					return p.source().Errorf(s.place, "%w", err)
				}
				return err
			}
		}
		return nil
	})
}

// everyStep calls f for each step that is written, once.
func everyStep(steps []faultStep, f func(*faultStep) error) error {
	for i := range steps {
		if err := f(&steps[i]); err != nil {
			return err
		}
		if err := everyStep(steps[i].steps, f); err != nil {
			return err
		}
	}
	return nil
}

// choose settles what chance decides of a step.
func (s *faultStep) choose(dice *rand.Rand) (k *faultKind, pause time.Duration) {
	k, _ = kindOf(s.faults[dice.IntN(len(s.faults))])
	pause = s.after
	if s.within {
		pause = time.Duration(dice.Int64N(int64(s.after) + 1))
	}
	return k, pause
}
