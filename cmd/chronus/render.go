package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/osc"
)

type renderCmd struct {
	samplesFlag
	Patch   string   `arg:"" optional:"" help:"Patch file, or the name of a preset; default: the default patch."`
	Tape    string   `help:"Render this tape instead of a patch." type:"path" placeholder:"FILE"`
	Score   string   `help:"Play this: a Standard MIDI File (.mid), or timed OSC, a line a message: SECONDS ADDRESS ARGUMENTS. A song among the presets has its own." placeholder:"FILE"`
	Out     string   `short:"o" help:"File to write: .flac, else WAV." default:"out.wav" type:"path"`
	Seconds float64  `help:"Length, without a tape; 0: 5 s, or with a score until it has died away." default:"0"`
	At      []string `help:"A message at a time in seconds, like '0.5 /gate/adsr1 on'; repeat it for more." placeholder:"'SECONDS ADDRESS ARG'" sep:"none"`
	Rate    int      `help:"Frames a second, without a tape." default:"48000" placeholder:"HZ"`
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
		return fmt.Errorf("--rate %d, --block %d: the rate is 8000 to 384000, the block 16 to 4096", c.Rate, c.Block)
	}
	if !(c.Seconds >= 0 && c.Seconds <= 24*3600) {
		return fmt.Errorf("--seconds %v: it is a day at the most; 0 is as long as it takes", c.Seconds)
	}
	const channels = 2
	p, err := patch.Parse(name, text)
	if err != nil {
		return err
	}
	plan, err := patch.Compile(p, c.Rate, c.Block, channels)
	if err != nil {
		return err
	}
	str, err := newStream(plan, c.store())
	if err != nil {
		return err
	}
	cues, err := c.cues(plan)
	if err != nil {
		return err
	}
	return c.write(s, str, cues, channels)
}

// cues are the messages of --at as commands, in the order of time.
func (c *renderCmd) cues(plan *patch.Plan) ([]stream.Command, error) {
	addresses, err := space.New(plan)
	if err != nil {
		return nil, err
	}
	var cues []stream.Command
	if c.Score != "" {
		if cues, err = readScore(c.Score, plan, addresses); err != nil {
			return nil, err
		}
	}
	for _, at := range c.At {
		more, err := parseCue(addresses, at, c.Rate)
		if err != nil {
			return nil, fmt.Errorf("--at %q: %w", at, err)
		}
		cues = append(cues, more...)
	}
	return numberCues(cues), nil
}

func parseCue(addresses *space.Space, at string, rate int) (cues []stream.Command, err error) {
	words := quotedFields(at)
	if len(words) < 2 {
		return nil, errors.New("it must be a time in seconds, an address, and its argument")
	}
	seconds, err := strconv.ParseFloat(words[0], 64)
	if err != nil || !(seconds >= 0 && seconds <= 24*3600) {
		return nil, fmt.Errorf("%q is no time in seconds", words[0])
	}
	var args []any
	for _, w := range words[2:] {
		a, err := osc.ParseArg(w)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	packet, err := osc.Encode(words[1], args...)
	if err != nil {
		return nil, err
	}
	frame := uint64(math.Round(seconds * float64(rate)))
	var d osc.Decoder
	d.Decode(packet, func(m *osc.Message) {
		commands, rerr := addresses.Resolve(m)
		err = rerr
		for _, c := range commands {
			cues = append(cues, stream.Command{Frame: frame, Kind: stream.Kind(c.Op), Node: c.Node, Param: c.Param, Value: c.Value})
		}
	}, func(e *osc.DecodeError) { err = e })
	return cues, err
}

// quotedFields are the words of a line; what stands between two " is one.
func quotedFields(line string) (words []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}

// write renders to the file, with each cue at its frame.
func (c *renderCmd) write(s streams, str *stream.Stream, cues []stream.Command, channels int) (err error) {
	w, err := createSound(c.Out, c.Rate, channels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	length := c.length(cues)
	bar := newBar(s.err, length.least)
	defer bar.end()
	batch := newBatch(w, channels)
	block := make([]float32, c.Block*channels)
	for done := int64(0); !length.over(done); done += int64(c.Block) {
		for len(cues) > 0 && int64(cues[0].Frame) < done+int64(c.Block) {
			str.Push(cues[0])
			cues = cues[1:]
		}
		str.Render(block)
		n := min(int64(c.Block), length.most-done)
		length.heard(block)
		if err := batch.add(block[:n*int64(channels)]); err != nil {
			return err
		}
		bar.at(min(done+n, length.least))
	}
	return batch.flush()
}

// length is how long to render, in frames: least in any case, and on until it is silent, most at the most.
type length struct {
	least, most int64
	silent      int64 // frames of silence so far
	enough      int64
	block       int64
}

// What is rendered without --seconds: so long without a score; after a score's last message until it has been silent for
// quietSeconds, but no longer than tailSeconds.
const (
	plainSeconds = 5
	quietSeconds = 0.5
	tailSeconds  = 30
)

func (c *renderCmd) length(cues []stream.Command) *length {
	frames := func(seconds float64) int64 { return int64(seconds * float64(c.Rate)) }
	l := &length{enough: frames(quietSeconds), block: int64(c.Block)}
	switch {
	case c.Seconds > 0:
		l.least, l.most = frames(c.Seconds), frames(c.Seconds)
	case c.Score == "" || len(cues) == 0:
		l.least, l.most = frames(plainSeconds), frames(plainSeconds)
	default:
		l.least = int64(cues[len(cues)-1].Frame) + 1
		l.most = l.least + frames(tailSeconds)
	}
	return l
}

// inaudible is -100 dB.
const inaudible = 1e-5

func (l *length) heard(block []float32) {
	l.silent += l.block
	for _, v := range block {
		if v > inaudible || v < -inaudible {
			l.silent = 0
		}
	}
}

func (l *length) over(done int64) bool {
	return done >= l.most || done >= l.least && l.silent >= l.enough
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
	bar := newBar(s.err, size)
	defer bar.end()
	in := &counter{r: f}
	t, err := newReelFrom(in, c.store())
	if err != nil {
		return err
	}
	w, err := createSound(c.Out, t.header.Rate, t.header.Channels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	batch := newBatch(w, t.header.Channels)
	for {
		_, samples, _, err := t.read()
		if errors.Is(err, io.EOF) {
			return batch.flush()
		}
		if err != nil {
			return errors.Join(batch.flush(), err)
		}
		if err := batch.add(samples); err != nil {
			return err
		}
		bar.at(in.n)
	}
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// batch collects blocks, so that the file's header is not written for each.
type batch struct {
	w   soundFile
	buf []float32
	max int
}

func newBatch(w soundFile, channels int) *batch { return &batch{w: w, max: 16384 * channels} }

func (b *batch) add(samples []float32) error {
	b.buf = append(b.buf, samples...)
	if len(b.buf) < b.max {
		return nil
	}
	return b.flush()
}

func (b *batch) flush() error {
	err := b.w.Write(b.buf)
	b.buf = b.buf[:0]
	return err
}

type tapeCmd struct {
	engineFlag
	Out string `short:"o" help:"File to write." default:"out.tape" type:"path"`
}

// Run writes a tape until Ctrl-C, or until the engine ends.
func (c *tapeCmd) Run(s streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	body, err := c.client().tape(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := os.Create(c.Out)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, endless{body})
	return errors.Join(err, f.Close())
}
