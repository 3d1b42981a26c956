package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/actors"
)

// replyWait is the longest time that an engine may take to answer.
const replyWait = 3 * time.Second

type downCmd struct{ engineFlag }

// Run ends the engine, and waits for its end for 10 s at most.
func (d *downCmd) Run(s streams) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c := d.client()
	if err := c.Down(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if _, err := c.Status(ctx); err != nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("engine in %s: still running 10 s after the order to end", d.RuntimeDir)
}

type statusCmd struct {
	engineFlag
	JSON bool `name:"json" help:"Print everything, as JSON."`
}

// Run prints the status.
func (c *statusCmd) Run(s streams) error {
	ctx, cancel := context.WithTimeout(context.Background(), replyWait)
	defer cancel()
	st, err := c.client().Status(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, st)
	}
	return printStatus(s.out, st)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func printStatus(out io.Writer, st actors.Status) error {
	fmt.Fprintln(out, statusLine(st))
	for _, line := range []struct{ what, why string }{
		{"SILENT", st.StoppedReason}, {"another patch plays", st.FallbackReason}, {"problem with the device", st.Problem},
	} {
		if line.why != "" {
			fmt.Fprintf(out, "%s: %s\n", line.what, line.why)
		}
	}
	if st.Unheard {
		fmt.Fprintln(out, unheardLine(st))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "worker\tstate\tprocess\tgeneration\tlead\t")
	for _, k := range st.Workers {
		heard := ""
		if k.Slot == st.Active.Slot {
			heard = "heard"
		}
		fmt.Fprintf(w, "%d\t%s\t%d\t%d\t%d\t%s\n", k.Slot, k.State, k.PID, k.Generation, k.Lead, heard)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "block %d; played %d, rescued %d, concealed %d; flips %d, xruns %d\n",
		st.Clock, st.Played, st.Rescued, st.Concealed, st.Flips, st.Xruns)
	fmt.Fprintf(out, "lead %d blocks, %.1f ms: %s; late %d, overruns %d\n", st.Lead, st.LatencyMS, st.LeadReason, st.Late, st.Overruns)
	last := st.Failovers[max(0, len(st.Failovers)-5):]
	for _, f := range last {
		fmt.Fprintf(out, "%s  worker %d: %s; flip %.0f us, redundant after %.0f us\n",
			f.At.Format(time.TimeOnly), f.Slot, f.Cause, f.FlipUS, f.RedundantUS)
	}
	return nil
}
