package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos"
	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
	"github.com/music-chronus/chronus/cmd/chronus/internal/terminal"
)

type chaosCmd struct {
	engineFlag
	Kills  int           `help:"Number of kills." default:"10"`
	Signal string        `help:"kill, stop (a hang), segv or term." enum:"kill,stop,segv,term" default:"kill"`
	Pause  time.Duration `help:"Longest time between two kills; each is at random." default:"100ms"`
	JSON   bool          `name:"json" help:"Print the report as JSON."`

	For           time.Duration `help:"Inject faults at random for this time, instead of kills." placeholder:"DURATION"`
	Plan          string        `help:"Inject the faults of this plan (docs/chaos.md), instead of kills." type:"path" placeholder:"FILE"`
	Faults        []string      `help:"Kinds that --for and a plan's any choose from; default: all that this engine allows." placeholder:"KIND"`
	Seed          uint64        `help:"Seed of all chance; 0: another each time." placeholder:"N"`
	EngineCommand string        `help:"Command that starts the engine again after the fault engine, like 'chronus up'." placeholder:"COMMAND"`
	Report        string        `help:"Write report.json and waveform.svg into this directory." type:"path" placeholder:"DIR"`
}

// Run injects faults and reports. The exit code is 1 if a block was lost, doubled or changed, or if
// the engine did not become redundant again.
func (c *chaosCmd) Run(s streams) error {
	if c.Kills < 1 {
		return fmt.Errorf("--kills %d: must be 1 or more", c.Kills)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if c.planned() {
		return c.runPlan(ctx, s)
	}
	r, err := chaos.Kills(ctx, c.client(), c.Kills, c.Signal, c.Pause)
	if err != nil {
		return err
	}
	return c.print(s, r, r.OK())
}

// print prints a report.
func (c *chaosCmd) print(s streams, r interface{ Print(io.Writer) error }, ok bool) (err error) {
	if c.JSON {
		err = printJSON(s.out, r)
	} else {
		err = r.Print(s.out)
	}
	if err == nil && !ok {
		err = errQuiet
	}
	return err
}

// planned says that a flag needs a plan.
func (c *chaosCmd) planned() bool {
	return c.For != 0 || c.Plan != "" || len(c.Faults) > 0 || c.Seed != 0 || c.EngineCommand != "" || c.Report != ""
}

// runPlan injects the faults that the flags describe, and reports.
func (c *chaosCmd) runPlan(ctx context.Context, s streams) error {
	if err := plan.CheckKinds(c.Faults); err != nil {
		return fmt.Errorf("--faults: %w", err)
	}
	st, err := c.client().Status(ctx)
	if err != nil {
		return err
	}
	p, err := c.plan(len(st.Workers))
	if err != nil {
		return err
	}
	o := chaos.Options{Plan: p, Seed: c.Seed, EngineCommand: c.EngineCommand, Log: s.err}
	if o.Seed == 0 {
		o.Seed = 1 + rand.Uint64N(1<<32-1) // few digits, and exact in every JSON reader
	}
	shown := terminal.NewBar(s.err, int64(c.For))
	if c.For > 0 {
		o.Progress = func(done time.Duration) { shown.At(int64(done)) }
	}
	r, err := chaos.Run(ctx, c.client(), o)
	shown.End()
	if err != nil {
		return err
	}
	if c.Report != "" {
		if err := r.Save(c.Report); err != nil {
			return fmt.Errorf("--report: %w", err)
		}
	}
	return c.print(s, r, r.OK())
}

// plan returns the plan that the flags describe, for an engine with so many workers.
func (c *chaosCmd) plan(workers int) (*plan.Plan, error) {
	possible := c.Faults
	if len(possible) == 0 {
		for _, k := range plan.Kinds {
			if k.Check(workers, c.EngineCommand) == nil {
				possible = append(possible, k.Name)
			}
		}
	}
	switch {
	case c.For != 0 && c.Plan != "":
		return nil, errors.New("--for and --plan exclude each other")
	case c.For < 0 || c.Pause < 0:
		return nil, fmt.Errorf("--for %v, --pause %v: both must be 0 or more", c.For, c.Pause)
	case c.For > 0:
		return plan.AtRandom(possible, 0, c.For, c.Pause), nil
	case c.Plan == "" && len(c.Faults) > 0:
		return plan.AtRandom(c.Faults, c.Kills, 0, c.Pause), nil
	case c.Plan == "":
		return plan.AtRandom([]string{c.Signal}, c.Kills, 0, c.Pause), nil
	}
	text, err := os.ReadFile(c.Plan)
	if err != nil {
		return nil, fmt.Errorf("--plan: %w", err)
	}
	p, err := plan.Parse(c.Plan, text)
	if err != nil {
		return nil, err
	}
	p.ReplaceAny(possible)
	return p, nil
}
