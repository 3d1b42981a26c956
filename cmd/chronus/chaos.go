package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/actors"
)

type chaosCmd struct {
	engineFlag
	Kills  int           `help:"How often." default:"10"`
	Signal string        `help:"kill, stop (a hang), segv or term." enum:"kill,stop,segv,term" default:"kill"`
	Pause  time.Duration `help:"The most time between two kills; each is at random." default:"100ms"`
	JSON   bool          `name:"json" help:"Print the report as JSON."`

	For           time.Duration `help:"Do faults at random for that long, instead of kills." placeholder:"DURATION"`
	Plan          string        `help:"Do the faults of this plan (docs/chaos.md), instead of kills." type:"path" placeholder:"FILE"`
	Faults        []string      `help:"What --for and a plan's any choose from; default: all that this engine allows." placeholder:"KIND"`
	Seed          uint64        `help:"Of all chance; 0: another each time." placeholder:"N"`
	EngineCommand string        `help:"Starts the engine again after the fault engine: like 'chronus up'." placeholder:"COMMAND"`
	Report        string        `help:"Write report.json and waveform.svg into this directory." type:"path" placeholder:"DIR"`
}

// chaosReport is what was done and what was heard.
type chaosReport struct {
	Signal    string            `json:"signal"`
	Kills     int               `json:"kills"`
	Lost      uint64            `json:"lost"`    // blocks that the clock passed without one being played
	Doubled   uint64            `json:"doubled"` // blocks played without the clock passing one
	Changed   uint64            `json:"changed"` // blocks that differ from the uninterrupted render
	Compared  uint64            `json:"compared"`
	Concealed uint64            `json:"concealed"`
	Rescued   uint64            `json:"rescued"`
	Xruns     uint64            `json:"xruns"`
	FlipUS    quantiles         `json:"flip_us"`      // kill to flip
	WholeUS   quantiles         `json:"redundant_us"` // kill to full redundancy
	Failovers []actors.Failover `json:"failovers"`
}

// quantiles of a set of times in microseconds.
type quantiles struct {
	Count  int     `json:"count"`
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

func quantilesOf(v []float64) (q quantiles) {
	if len(v) == 0 {
		return q
	}
	slices.Sort(v)
	at := func(p float64) float64 { return v[min(len(v)-1, int(p*float64(len(v))))] }
	return quantiles{len(v), at(0.5), at(0.99), v[len(v)-1]}
}

// Run kills, listens and reports. The exit code is 1 if a frame was lost, doubled or changed.
func (c *chaosCmd) Run(s streams) error {
	if c.Kills < 1 {
		return fmt.Errorf("--kills %d: it is 1 or more", c.Kills)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if c.planned() {
		return c.runPlan(ctx, s)
	}
	r, err := chaos(ctx, c.client(), c.Kills, c.Signal, c.Pause)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(s.out, r)
	} else {
		err = r.print(s.out)
	}
	if err == nil && r.Lost+r.Doubled+r.Changed > 0 {
		err = errQuiet
	}
	return err
}

// chaos kills the active worker kills times, one failure at a time, with a tape running.
func chaos(ctx context.Context, c *client, kills int, sig string, pause time.Duration) (chaosReport, error) {
	before, err := c.status(ctx)
	if err != nil {
		return chaosReport{}, err
	}
	tapeCtx, endTape := context.WithCancel(ctx)
	defer endTape()
	body, err := c.tape(tapeCtx)
	if err != nil {
		return chaosReport{}, err
	}
	defer body.Close()
	checked := make(chan heardResult, 1)
	var compared atomic.Uint64
	go func() {
		v, err := verify(endless{body}, &compared)
		checked <- heardResult{v, err}
	}()
	for range kills {
		if err := killOnce(ctx, c, sig, rand.N(pause+1)); err != nil {
			return chaosReport{}, err
		}
	}
	after, err := awaitRedundant(ctx, c)
	if err != nil {
		return chaosReport{}, err
	}
	heard := awaitTape(&compared, after.Clock, checked)
	endTape()
	if heard == nil {
		h := <-checked
		heard = &h
	}
	if heard.err != nil {
		return chaosReport{}, heard.err
	}
	return report(sig, kills, before, after, heard.verdict), nil
}

// awaitTape waits until what was played before clock is compared, or the tape has ended of itself: then it
// returns that.
func awaitTape(compared *atomic.Uint64, clock uint64, ended <-chan heardResult) *heardResult {
	deadline := time.After(replyWait)
	for compared.Load() < clock {
		select {
		case h := <-ended:
			return &h
		case <-deadline:
			return nil // the report tells how many blocks were compared
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

type heardResult struct {
	verdict verdict
	err     error
}

// endless turns the end of a cancelled request into the end of the tape.
type endless struct{ r io.Reader }

func (e endless) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if errors.Is(err, context.Canceled) {
		err = io.EOF
	}
	return n, err
}

// killOnce waits for redundancy, then for pause, and kills.
func killOnce(ctx context.Context, c *client, sig string, pause time.Duration) error {
	for {
		if err := c.redundant(ctx); err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := c.kill(ctx, sig); err == nil {
			return nil
		} else if st, serr := c.status(ctx); serr != nil || st.Redundant {
			return err
		}
	}
}

// awaitRedundant waits until every replica is ready.
func awaitRedundant(ctx context.Context, c *client) (actors.Status, error) {
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := c.redundant(limited); err != nil {
		return actors.Status{}, fmt.Errorf("not every worker is ready again within 30 s: %w", err)
	}
	return c.status(ctx)
}

func report(sig string, kills int, before, after actors.Status, v verdict) chaosReport {
	r := chaosReport{
		Signal: sig, Kills: kills,
		Lost: less(after.Clock-before.Clock, after.Played-before.Played), Doubled: less(after.Played-before.Played, after.Clock-before.Clock),
		Changed: v.Changed, Compared: v.Blocks,
		Concealed: after.Concealed - before.Concealed, Rescued: after.Rescued - before.Rescued, Xruns: after.Xruns - before.Xruns,
	}
	fresh := int(min(after.FailoversTotal-before.FailoversTotal, uint64(len(after.Failovers))))
	r.Failovers = after.Failovers[len(after.Failovers)-fresh:]
	var flips, whole []float64
	for _, f := range r.Failovers {
		if f.FlipUS > 0 {
			flips = append(flips, f.FlipUS)
		}
		if f.RedundantUS > 0 {
			whole = append(whole, f.RedundantUS)
		}
	}
	r.FlipUS, r.WholeUS = quantilesOf(flips), quantilesOf(whole)
	return r
}

// less is by how much b is less than a.
func less(a, b uint64) uint64 { return a - min(a, b) }

func (r chaosReport) print(out io.Writer) error {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "kills (%s)\t%d\t\n", r.Signal, r.Kills)
	fmt.Fprintf(w, "blocks compared\t%d\t\n", r.Compared)
	fmt.Fprintf(w, "lost\t%d\t\n", r.Lost)
	fmt.Fprintf(w, "doubled\t%d\t\n", r.Doubled)
	fmt.Fprintf(w, "changed\t%d\t\n", r.Changed)
	fmt.Fprintf(w, "concealed\t%d\t\n", r.Concealed)
	fmt.Fprintf(w, "rescued\t%d\t\n", r.Rescued)
	fmt.Fprintf(w, "xruns of the device\t%d\t\n", r.Xruns)
	for _, q := range []struct {
		name string
		q    quantiles
	}{{"kill to flip", r.FlipUS}, {"kill to redundancy", r.WholeUS}} {
		fmt.Fprintf(w, "%s, ms\tmedian %.2f\tp99 %.2f\tmax %.2f\t\n", q.name, q.q.Median/1e3, q.q.P99/1e3, q.q.Max/1e3)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := b.WriteTo(out)
	return err
}
