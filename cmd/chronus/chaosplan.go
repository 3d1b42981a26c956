package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

// planned tells whether anything was asked for that takes a plan.
func (c *chaosCmd) planned() bool {
	return c.For != 0 || c.Plan != "" || len(c.Faults) > 0 || c.Seed != 0 || c.EngineCommand != "" || c.Report != ""
}

// runPlan does what the flags describe and reports. The exit code is 1 if a frame was lost, doubled or changed, or the
// engine did not become redundant again.
func (c *chaosCmd) runPlan(ctx context.Context, s streams) error {
	for _, name := range c.Faults {
		if _, ok := kindOf(name); !ok {
			return fmt.Errorf("--faults: no fault %q; there are %s", name, strings.Join(kindNames(), ", "))
		}
	}
	st, err := c.client().status(ctx)
	if err != nil {
		return err
	}
	plan, err := c.plan(len(st.Workers))
	if err != nil {
		return err
	}
	r := &chaosRun{client: c.client(), plan: plan, seed: c.Seed, engineCommand: c.EngineCommand, log: s.err}
	if r.seed == 0 {
		r.seed = 1 + rand.Uint64N(1<<32-1) // few digits, and whole in every JSON reader
	}
	shown := newBar(s.err, int64(c.For))
	if c.For > 0 {
		r.progress = func(done time.Duration) { shown.at(int64(done)) }
	}
	report, err := r.run(ctx)
	shown.end()
	if err != nil {
		return err
	}
	if c.Report != "" {
		if err := report.save(c.Report); err != nil {
			return err
		}
	}
	if c.JSON {
		err = printJSON(s.out, report)
	} else {
		err = report.print(s.out)
	}
	if err == nil && !report.ok() {
		err = errQuiet
	}
	return err
}

// plan is what the flags describe, for an engine with so many workers.
func (c *chaosCmd) plan(replicas int) (*faultPlan, error) {
	possible := c.Faults
	if len(possible) == 0 {
		for i := range faultKinds {
			if faultKinds[i].fits(replicas, c.EngineCommand) == nil {
				possible = append(possible, faultKinds[i].name)
			}
		}
	}
	switch {
	case c.For != 0 && c.Plan != "":
		return nil, errors.New("--for and --plan exclude each other")
	case c.For < 0 || c.Pause < 0:
		return nil, fmt.Errorf("--for %v, --pause %v: they are 0 or more", c.For, c.Pause)
	case c.For > 0:
		return atRandom(possible, 0, c.For, c.Pause), nil
	case c.Plan == "" && len(c.Faults) > 0:
		return atRandom(c.Faults, c.Kills, 0, c.Pause), nil
	case c.Plan == "":
		return atRandom([]string{c.Signal}, c.Kills, 0, c.Pause), nil
	}
	text, err := os.ReadFile(c.Plan)
	if err != nil {
		return nil, fmt.Errorf("--plan: %w", err)
	}
	p, err := parsePlan(c.Plan, text)
	if err != nil {
		return nil, err
	}
	_ = everyStep(p.steps, func(s *faultStep) error {
		if slices.Equal(s.faults, []string{anyFault}) {
			s.faults = possible
		}
		return nil
	})
	return p, nil
}
