package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/cmd/chronus/internal/demo"
)

type demoCmd struct {
	Out string `short:"o" help:"WAV file to write." default:"demo.wav" type:"path"`
}

// Run plays, kills, compares, and prints the table. Run fails if a frame was lost, doubled, changed
// or concealed.
func (c *demoCmd) Run(s streams) error {
	dir, err := os.MkdirTemp("", "chronus-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	flags := engineFlags{
		engineFlag: engineFlag{dir}, OSC: "127.0.0.1:0", Backend: "file", Device: c.Out, Channels: 2, Patch: demo.Patch,
		Rate: 48000, Block: 64, Guard: 2, Replicas: 2, Grace: time.Second, Log: "error", State: noState,
	}
	cfg, err := flags.config(s)
	if err != nil {
		return err
	}
	chords, kills := demo.Chords()
	fmt.Fprintf(s.out, "playing %d chords on %s into %s, killing the active worker in %d of them\n", chords, demo.Patch, c.Out, kills)
	e, err := actors.Start(ctx, cfg)
	if err != nil {
		return err
	}
	recording := demo.Record(ctx, e)
	err = playDemo(ctx, e)
	recorded, terr := recording.Stop()
	st, serr := e.Status(ctx)
	e.Stop()
	if err = errors.Join(err, serr, terr); err != nil {
		return err
	}
	diff, err := demo.Compare(c.Out, recorded)
	if err != nil {
		return err
	}
	printDemo(s.out, st, diff, c.Out)
	if !diff.Equal() || st.Concealed > 0 {
		return errQuiet
	}
	return nil
}

// playDemo plays the phrase by OSC.
func playDemo(ctx context.Context, e *actors.Engine) error {
	st, err := e.Status(ctx)
	if err != nil {
		return err
	}
	return demo.Play(e, func(address string, args ...any) error {
		reply, failed, err := sendOSC(st.OSC, replyWait, address, args...)
		if failed {
			err = errors.New(reply)
		}
		return err
	})
}

func printDemo(out io.Writer, st actors.Status, d tape.Difference, path string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kill\tworker\tprocess\tkill to flip\tkill to redundancy\t")
	kill := 0
	for _, f := range st.Failovers {
		if f.FromKill { // others are flips because a machine that stalls left no lead
			kill++
			fmt.Fprintf(w, "%d\t%d\t%d\t%.2f ms\t%.2f ms\t\n", kill, f.Slot, f.PID, f.FlipUS/1e3, f.RedundantUS/1e3)
		}
	}
	w.Flush()
	fmt.Fprintf(out, "%d frames compared with the uninterrupted render: %d lost, %d doubled, %d changed, %d concealed\n",
		d.Compared, d.Lost, d.Doubled, d.Changed, int(st.Concealed)*st.Block)
	fmt.Fprintf(out, "wrote %s\n", path)
}
