package chaos

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/report"
)

// KillReport says what kills of the active worker did to the sound. Counts are in blocks.
type KillReport struct {
	Signal      string            `json:"signal"`
	Kills       int               `json:"kills"`
	Lost        uint64            `json:"lost"`    // the clock passed them, and they were not played
	Doubled     uint64            `json:"doubled"` // played without the clock passing one
	Changed     uint64            `json:"changed"` // different from the uninterrupted render
	Compared    uint64            `json:"compared"`
	Concealed   uint64            `json:"concealed"`
	Rescued     uint64            `json:"rescued"`
	Xruns       uint64            `json:"xruns"`
	FlipUS      Quantiles         `json:"flip_us"`      // from kill to flip, in us
	RedundantUS Quantiles         `json:"redundant_us"` // from kill to full redundancy, in us
	Failovers   []report.Failover `json:"failovers"`
}

// OK says that no block was lost, doubled or changed.
func (r KillReport) OK() bool { return r.Lost+r.Doubled+r.Changed == 0 }

// Kills kills the active worker so many times by a signal, with a tape running. Before each kill it
// waits for full redundancy, and then for a random part of pause.
func Kills(ctx context.Context, e Engine, kills int, signal string, pause time.Duration) (KillReport, error) {
	before, err := e.Status(ctx)
	if err != nil {
		return KillReport{}, err
	}
	tapeCtx, endTape := context.WithCancel(ctx)
	defer endTape()
	body, err := e.Tape(tapeCtx)
	if err != nil {
		return KillReport{}, err
	}
	defer body.Close()
	var next atomic.Uint64 // the block after the last one compared
	ended := make(chan compared, 1)
	go func() { ended <- compareAll(body, &next) }()
	for range kills {
		if err := killOnce(ctx, e, signal, rand.N(pause+1)); err != nil {
			return KillReport{}, err
		}
	}
	after, err := AwaitRedundant(ctx, e)
	if err != nil {
		return KillReport{}, err
	}
	result := awaitCompared(&next, after.Clock, ended)
	endTape()
	if result == nil {
		r := <-ended
		result = &r
	}
	if result.err != nil {
		return KillReport{}, result.err
	}
	return killReport(signal, kills, before, after, *result), nil
}

// compared is the comparison of a whole tape.
type compared struct {
	blocks, changed uint64
	err             error
}

func compareAll(body io.Reader, next *atomic.Uint64) (c compared) {
	t, err := openTape(body)
	if err != nil {
		return compared{err: err}
	}
	c.err = t.Compare(func(n uint64, _ []float32, same bool) {
		c.blocks++
		if !same {
			c.changed++
		}
		next.Store(n + 1)
	})
	return c
}

// awaitCompared waits until the blocks before clock are compared. awaitCompared returns the result
// if the tape has ended by then, else nil. After replyWait it gives up: the report says how many
// blocks were compared.
func awaitCompared(next *atomic.Uint64, clock uint64, ended <-chan compared) *compared {
	deadline := time.After(replyWait)
	for next.Load() < clock {
		select {
		case c := <-ended:
			return &c
		case <-deadline:
			return nil
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// killOnce waits for full redundancy, then for pause, and kills. killOnce tries again if the engine
// lost a worker of its own accord meanwhile.
func killOnce(ctx context.Context, e Engine, signal string, pause time.Duration) error {
	for {
		if err := awaitWorkers(ctx, e); err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := e.Kill(ctx, signal); err == nil {
			return nil
		} else if st, serr := e.Status(ctx); serr != nil || st.Redundant {
			return err
		}
	}
}

func killReport(signal string, kills int, before, after actors.Status, c compared) KillReport {
	clock, played := after.Clock-before.Clock, after.Played-before.Played
	r := KillReport{
		Signal: signal, Kills: kills, Lost: less(clock, played), Doubled: less(played, clock),
		Changed: c.changed, Compared: c.blocks, Concealed: after.Concealed - before.Concealed,
		Rescued: after.Rescued - before.Rescued, Xruns: after.Xruns - before.Xruns, Failovers: newFailovers(before, after),
	}
	var flips, redundant []float64
	for _, f := range r.Failovers {
		if f.FlipUS > 0 {
			flips = append(flips, f.FlipUS)
		}
		if f.RedundantUS > 0 {
			redundant = append(redundant, f.RedundantUS)
		}
	}
	r.FlipUS, r.RedundantUS = QuantilesOf(flips), QuantilesOf(redundant)
	return r
}

// newFailovers returns the failovers between two statuses, as far as the engine remembers them.
func newFailovers(before, after actors.Status) []report.Failover {
	n := int(min(less(after.FailoversTotal, before.FailoversTotal), uint64(len(after.Failovers))))
	return after.Failovers[len(after.Failovers)-n:]
}

// Print writes the report as a table.
func (r KillReport) Print(out io.Writer) error {
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
		q    Quantiles
	}{{"kill to flip", r.FlipUS}, {"kill to redundancy", r.RedundantUS}} {
		fmt.Fprintf(w, "%s, ms\tmedian %.2f\tp99 %.2f\tmax %.2f\t\n", q.name, q.q.Median/1e3, q.q.P99/1e3, q.q.Max/1e3)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := b.WriteTo(out)
	return err
}
