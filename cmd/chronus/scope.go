package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/dsp/stream"
)

// scopeCmd looks at any signal of the music without touching a worker: what an engine plays is rendered here once more, from its tape.
type scopeCmd struct {
	engineFlag
	samplesFlag
	Signal string        `arg:"" help:"NODE or NODE.PORT of the patch that plays; of voices the sum. out: what is heard." default:"out"`
	Every  time.Duration `help:"How much of the sound each line is of." default:"250ms"`
	Window time.Duration `help:"How much of it is drawn, from where it rises through 0; 0: none." default:"20ms"`
	For    time.Duration `help:"How much of the sound in all; 0: until Ctrl-C." default:"0"`
	Out    string        `short:"o" help:"Write the signal to this file as well: .flac, else WAV." type:"path" placeholder:"FILE"`
	JSON   bool          `name:"json" help:"Print a line of JSON for each."`
}

// Run follows the engine.
func (c *scopeCmd) Run(s streams) error {
	if c.Every <= 0 || c.Window < 0 || c.For < 0 {
		return fmt.Errorf("--every %v, --window %v, --for %v: the first is above 0, the others are not below", c.Every, c.Window, c.For)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	body, err := c.client().tape(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	t, err := newReelFrom(endless{body}, c.store())
	if err != nil {
		return err
	}
	return c.follow(t, s.out)
}

// heardSignal is the name of what is heard, which no node can have.
const heardSignal = "out"

// follow shows the signal of what a tape plays.
func (c *scopeCmd) follow(t *reel, out io.Writer) (err error) {
	rate, block := t.header.Rate, t.header.Block
	every := max(1, int(c.Every.Seconds()*float64(rate)))
	var piece [][]float32
	probe := scopeProbe{reel: t, signal: c.Signal}
	copyTo := scopeFile{path: c.Out, rate: rate}
	defer func() { err = errors.Join(err, copyTo.close()) }()
	for frames := 0; c.For == 0 || float64(frames) < c.For.Seconds()*float64(rate); frames += block {
		n, now, err := probe.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = copyTo.add(now)
		}
		if err != nil {
			return err
		}
		if len(piece) != len(now) {
			piece = make([][]float32, len(now))
		}
		for k := range now {
			piece[k] = append(piece[k], now[k]...)
		}
		if len(piece[0]) >= every {
			if err := c.show(out, scopeLine{At: float64((n+1)*uint64(block)) / float64(rate), Channels: levels(piece)}, piece, rate); err != nil {
				return err
			}
			piece = nil
		}
	}
	return nil
}

// scopeProbe gives a signal of what a tape plays, block by block.
type scopeProbe struct {
	reel   *reel
	signal string
	tap    *stream.Tap
}

// next is the signal in the next block, good until the one after.
func (p *scopeProbe) next() (n uint64, channels [][]float32, err error) {
	n, samples, _, err := p.reel.read()
	if err != nil || p.signal == heardSignal {
		return n, apart(samples, p.reel.header.Channels), err
	}
	if p.tap == nil || !p.tap.Of(p.reel.str) { // another patch may have come
		if p.tap, err = p.reel.str.Tap(p.signal); err != nil {
			return n, nil, err
		}
	}
	return n, p.tap.Read(), nil
}

// scopeFile is the file that a signal is written to, if any. It has as many channels as the first block.
type scopeFile struct {
	path string
	rate int
	file soundFile
	n    int // channels
}

func (f *scopeFile) add(channels [][]float32) (err error) {
	if f.path == "" {
		return nil
	}
	if f.file == nil {
		f.n = len(channels)
		if f.file, err = createSound(f.path, f.rate, f.n); err != nil {
			return err
		}
	}
	if f.n != len(channels) {
		return fmt.Errorf("%s has %d channels; with another patch the signal has %d: begin anew", f.path, f.n, len(channels))
	}
	return f.file.Write(together(channels))
}

func (f *scopeFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// scopeLine is what is shown of a stretch of a signal.
type scopeLine struct {
	At       float64        `json:"seconds"` // since the engine began, of its end
	Channels []channelLevel `json:"channels"`
}

// channelLevel measures a channel; all are linear.
type channelLevel struct {
	Peak float64 `json:"peak"`
	RMS  float64 `json:"rms"`
	Mean float64 `json:"mean"`
}

func levels(channels [][]float32) (list []channelLevel) {
	for _, x := range channels {
		var l channelLevel
		for _, v := range x {
			l.Peak = max(l.Peak, math.Abs(float64(v)))
			l.RMS += float64(v) * float64(v)
			l.Mean += float64(v)
		}
		l.RMS, l.Mean = math.Sqrt(l.RMS/float64(len(x))), l.Mean/float64(len(x))
		list = append(list, l)
	}
	return list
}

func (c *scopeCmd) show(out io.Writer, l scopeLine, piece [][]float32, rate int) error {
	if c.JSON {
		return json.NewEncoder(out).Encode(l)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%9.2f s", l.At)
	for k, ch := range l.Channels {
		fmt.Fprintf(&b, "  peak %s  rms %s  mean %+.3f", decibels(ch.Peak), decibels(ch.RMS), ch.Mean)
		if n := int(c.Window.Seconds() * float64(rate)); n > 0 {
			b.WriteString("  " + drawn(piece[k], n, ch.Peak))
		}
	}
	_, err := fmt.Fprintln(out, b.String())
	return err
}

func decibels(gain float64) string {
	if gain == 0 {
		return "  -inf dB"
	}
	return fmt.Sprintf("%+6.1f dB", 20*math.Log10(gain))
}

// bars are the heights of a drawn wave.
var bars = []rune("▁▂▃▄▅▆▇█")

// drawn is a wave of n frames in columns, from where x first rises through 0, as high as peak.
func drawn(x []float32, n int, peak float64) string {
	const columns = 32
	n = min(n, len(x))
	from := 0
	for i := 1; i+n <= len(x); i++ {
		if x[i-1] < 0 && x[i] >= 0 {
			from = i
			break
		}
	}
	row := make([]rune, columns)
	for k := range row {
		v := float64(x[from+k*n/columns])
		if peak > 0 {
			v = v / peak
		}
		row[k] = bars[int(max(0, min(float64(len(bars)-1), math.Floor((v+1)/2*float64(len(bars))))))]
	}
	return string(row)
}

// apart takes channels apart, together puts them in turns.
func apart(samples []float32, channels int) [][]float32 {
	list := make([][]float32, channels)
	for i, v := range samples {
		list[i%channels] = append(list[i%channels], v)
	}
	return list
}

func together(channels [][]float32) (samples []float32) {
	for i := range channels[0] {
		for _, x := range channels {
			samples = append(samples, x[i])
		}
	}
	return samples
}
