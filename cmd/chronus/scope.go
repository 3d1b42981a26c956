package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/cmd/chronus/internal/scope"
)

type scopeCmd struct {
	engineFlag
	samplesFlag
	Signal string        `arg:"" help:"NODE or NODE.PORT of the patch that plays; out: the output. Voices are summed." default:"out"`
	Every  time.Duration `help:"Length of sound that each line measures." default:"250ms"`
	Window time.Duration `help:"Length of sound that is drawn, from where it rises through 0; 0: none." default:"20ms"`
	For    time.Duration `help:"Length of sound in all; 0: until Ctrl-C." default:"0"`
	Out    string        `short:"o" help:"Write the signal to this file as well: .flac, else WAV." type:"path" placeholder:"FILE"`
	JSON   bool          `name:"json" help:"Print each line as JSON."`
}

// Run follows the engine by its tape.
func (c *scopeCmd) Run(s streams) error {
	if c.Every <= 0 || c.Window < 0 || c.For < 0 {
		return fmt.Errorf("--every %v, --window %v, --for %v: --every must be above 0, the others must not be below",
			c.Every, c.Window, c.For)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	body, err := c.client().Tape(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	t, err := tape.NewReader(body, tape.Options{Samples: c.store()})
	if err != nil {
		return err
	}
	o := scope.Options{Signal: c.Signal, Every: c.Every.Seconds(), For: c.For.Seconds(), Out: c.Out}
	return scope.Follow(t, o, func(l scope.Line, piece [][]float32) error {
		return c.show(s.out, l, piece, t.Header().Rate)
	})
}

// show prints a line.
func (c *scopeCmd) show(out io.Writer, l scope.Line, piece [][]float32, rate int) error {
	if c.JSON {
		return json.NewEncoder(out).Encode(l)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%9.2f s", l.At)
	for k, ch := range l.Channels {
		fmt.Fprintf(&b, "  peak %s  rms %s  mean %+.3f", decibels(ch.Peak), decibels(ch.RMS), ch.Mean)
		if n := int(c.Window.Seconds() * float64(rate)); n > 0 {
			b.WriteString("  " + scope.Draw(piece[k], n, ch.Peak))
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
