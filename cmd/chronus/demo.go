package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio/file"
)

type demoCmd struct {
	Out string `short:"o" help:"WAV file to write." default:"demo.wav" type:"path"`
}

// demoPatch is the preset that the phrase is played on.
const demoPatch = "keys/epiano"

// demoStep is one step of the phrase.
type demoStep struct {
	keys []int32
	kill bool // kill the active worker while it sounds
}

// phrase is played at demoTime a step: a cadence in A minor, broken over a bass.
var phrase = []demoStep{
	{[]int32{45, 64}, false}, {[]int32{60, 67}, true}, {[]int32{71}, false}, {[]int32{41, 69}, true}, {[]int32{60, 64}, false},
	{[]int32{67}, true}, {[]int32{48, 67}, false}, {[]int32{59, 64}, true}, {[]int32{43, 62}, false}, {[]int32{59, 65}, true},
	{[]int32{45, 60, 64, 71}, false},
}

const (
	demoTime = 320 * time.Millisecond
	demoHold = 220 * time.Millisecond
	demoKill = 60 * time.Millisecond // into the note
)

// Run plays, kills, compares, and prints the table. It fails unless nothing was lost, doubled or changed.
func (c *demoCmd) Run(s streams) error {
	dir, err := os.MkdirTemp("", "chronus-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	flags := engineFlags{engineFlag: engineFlag{dir}, OSC: "127.0.0.1:0", Backend: "file", Device: c.Out, Channels: 2, Patch: demoPatch,
		Rate: 48000, Block: 64, Guard: 2, Replicas: 2, Grace: time.Second, Log: "error", State: noState}
	cfg, err := flags.config(s)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "playing %d chords on %s into %s, killing the active worker in %d of them\n", len(phrase), demoPatch, c.Out, demoKills())
	e, err := actors.Start(ctx, cfg)
	if err != nil {
		return err
	}
	tape := record(ctx, e)
	err = play(ctx, e)
	tape.stop()
	st, serr := e.Status(ctx)
	e.Stop()
	if err = errors.Join(err, serr, tape.err); err != nil {
		return err
	}
	diff, err := compareWithTape(c.Out, &tape.buf)
	if err != nil {
		return err
	}
	printDemo(s.out, st, diff, c.Out)
	if !diff.ok() || st.Concealed > 0 {
		return errQuiet
	}
	return nil
}

func demoKills() (n int) {
	for _, p := range phrase {
		if p.kill {
			n++
		}
	}
	return n
}

// recording is a tape in memory.
type recording struct {
	buf  bytes.Buffer
	err  error
	stop func()
}

// record begins a tape of an engine of this process.
func record(ctx context.Context, e *actors.Engine) *recording {
	t := &recording{}
	ctx, cancel := context.WithCancel(ctx)
	begun := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() { t.err = e.Record(ctx, &t.buf, sync.OnceFunc(func() { close(begun) })) })
	<-begun
	t.stop = func() { cancel(); done.Wait() }
	return t
}

// play plays the phrase over OSC.
func play(ctx context.Context, e *actors.Engine) error {
	st, err := e.Status(ctx)
	if err != nil {
		return err
	}
	send := func(address string, args ...any) error {
		reply, failed, err := sendOSC(st.OSC, replyWait, address, args...)
		if failed {
			err = errors.New(reply)
		}
		return err
	}
	for _, n := range phrase {
		next := time.After(demoTime)
		for _, key := range n.keys {
			if err := send("/note/on", key, float32(0.8)); err != nil {
				return err
			}
		}
		off := time.After(demoHold)
		if n.kill {
			time.Sleep(demoKill)
			if _, err := e.Kill(actors.Signals["kill"]); err != nil {
				return err
			}
		}
		<-off
		if err := send("/note/off"); err != nil {
			return err
		}
		<-next
	}
	return nil
}

// compareWithTape compares a recording that began with block 0 with the uninterrupted render of a tape.
func compareWithTape(path string, tape io.Reader) (difference, error) {
	_, channels, got, err := file.Read(path)
	if err != nil {
		return difference{}, err
	}
	t, err := newReel(tape)
	if err != nil {
		return difference{}, err
	}
	if t.header.From != 0 {
		return difference{}, fmt.Errorf("the tape begins at block %d, the recording at 0", t.header.From)
	}
	var want []float32
	for {
		_, samples, _, err := t.read()
		if errors.Is(err, io.EOF) {
			return compare(got, want, channels), nil
		}
		if err != nil {
			return difference{}, err
		}
		want = append(want, samples...)
	}
}

func printDemo(out io.Writer, st actors.Status, d difference, path string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kill\tworker\tprocess\tkill to flip\tkill to redundancy\t")
	kill := 0
	for _, f := range st.Failovers {
		if f.FromKill { // others are flips for want of lead, on a machine that stalls
			kill++
			fmt.Fprintf(w, "%d\t%d\t%d\t%.2f ms\t%.2f ms\t\n", kill, f.Slot, f.PID, f.FlipUS/1e3, f.RedundantUS/1e3)
		}
	}
	w.Flush()
	fmt.Fprintf(out, "%d frames compared with the uninterrupted render: %d lost, %d doubled, %d changed, %d concealed\n",
		d.Compared, d.Lost, d.Doubled, d.Changed, int(st.Concealed)*st.Block)
	fmt.Fprintf(out, "wrote %s\n", path)
}
