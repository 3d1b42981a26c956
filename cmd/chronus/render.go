package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/cmd/chronus/internal/offline"
	"github.com/music-chronus/chronus/cmd/chronus/internal/terminal"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/dsp/stream"
)

type renderCmd struct {
	samplesFlag
	Patch   string   `arg:"" optional:"" help:"Patch file, or the name of a preset; default: the default patch."`
	Tape    string   `help:"Render this tape instead of a patch." type:"path" placeholder:"FILE"`
	Score   string   `help:"Score to play: a Standard MIDI File (.mid), or timed OSC, one message a line: SECONDS ADDRESS ARGUMENTS. Preset songs have their own." placeholder:"FILE"`
	Out     string   `short:"o" help:"File to write: .flac, else WAV." default:"out.wav" type:"path"`
	Seconds float64  `help:"Length, without a tape; 0: 5 s, or with a score until the sound has died away." default:"0"`
	At      []string `help:"Message at a time in seconds, like '0.5 /gate/adsr1 on'; repeat the flag for more." placeholder:"'SECONDS ADDRESS ARG'" sep:"none"`
	Rate    int      `help:"Sample rate, without a tape." default:"48000" placeholder:"HZ"`
	Block   int      `help:"Frames rendered at a time, without a tape." default:"64" placeholder:"FRAMES"`
}

// Run renders to a file.
func (c *renderCmd) Run(s streams) error {
	if c.Tape != "" {
		return c.tape(s)
	}
	name, text := "default", patch.Default()
	if c.Patch != "" {
		var err error
		if text, err = c.loadPatch(c.Patch); err != nil {
			return err
		}
		name = c.Patch
	}
	if _, song := patch.Score(c.Patch); song && c.Score == "" {
		c.Score = c.Patch
	}
	if c.Rate < 8000 || c.Rate > 384000 || c.Block < 16 || c.Block > 4096 {
		return fmt.Errorf("--rate %d, --block %d: the rate must be 8000 to 384000, the block 16 to 4096", c.Rate, c.Block)
	}
	if !(c.Seconds >= 0 && c.Seconds <= 24*3600) {
		return fmt.Errorf("--seconds %v: must be 0 to 86400", c.Seconds)
	}
	plan, err := openPlan(name, text, c.Rate, c.Block, 2, c.store())
	if err != nil {
		return err
	}
	cues, err := c.cues(plan)
	if err != nil {
		return err
	}
	r, err := offline.Render(plan, cues, c.Seconds, c.Score != "")
	if err != nil {
		return err
	}
	_, total := r.Progress()
	bar := terminal.NewBar(s.err, total)
	defer bar.End()
	return offline.Write(c.Out, plan.Rate, plan.Channels, r.Next, func() {
		done, _ := r.Progress()
		bar.At(done)
	})
}

// cues returns the messages of --score and --at as commands, in order of time.
func (c *renderCmd) cues(plan *patch.Plan) ([]stream.Command, error) {
	addresses, err := actors.NewSpace(plan)
	if err != nil {
		return nil, err
	}
	var cues []stream.Command
	if c.Score != "" {
		if cues, err = offline.ReadScore(c.Score, plan, addresses); err != nil {
			return nil, err
		}
	}
	for _, at := range c.At {
		more, err := offline.ParseCue(addresses, at, c.Rate)
		if err != nil {
			return nil, fmt.Errorf("--at %q: %w", at, err)
		}
		cues = append(cues, more...)
	}
	return offline.InOrder(cues), nil
}

// tape renders what an engine played.
func (c *renderCmd) tape(s streams) (err error) {
	f, err := os.Open(c.Tape)
	if err != nil {
		return err
	}
	defer f.Close()
	size := int64(0)
	if st, err := f.Stat(); err == nil {
		size = st.Size()
	}
	bar := terminal.NewBar(s.err, size)
	defer bar.End()
	in := &counter{r: f}
	t, err := tape.NewReader(in, tape.Options{Samples: c.store()})
	if err != nil {
		return err
	}
	next := func() ([]float32, error) {
		p, err := t.Next()
		return p.Samples, err
	}
	return offline.Write(c.Out, t.Header().Rate, t.Header().Channels, next, func() { bar.At(in.n) })
}

// openPlan compiles a patch, with its samples.
func openPlan(name string, text []byte, rate, block, channels int, store samples.Store) (*patch.Plan, error) {
	p, err := patch.Parse(name, text)
	if err != nil {
		return nil, err
	}
	plan, err := patch.Compile(p, rate, block, channels)
	if err != nil {
		return nil, err
	}
	return plan.WithSamples(store.Open)
}

// counter counts the bytes that are read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

type tapeCmd struct {
	engineFlag
	Out string `short:"o" help:"File to write." default:"out.tape" type:"path"`
}

// Run writes a tape until Ctrl-C, or until the engine ends.
func (c *tapeCmd) Run(s streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	body, err := c.client().Tape(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := os.Create(c.Out)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	return errors.Join(err, f.Close())
}
