package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/midi"
)

// midiCmd plays an engine with a MIDI input, in this process.
type midiCmd struct {
	Play  midiPlayCmd  `cmd:"" default:"withargs" help:"Play a running engine with a MIDI input until Ctrl-C."`
	Ports midiPortsCmd `cmd:"" help:"List the MIDI inputs."`
	Learn midiLearnCmd `cmd:"" help:"Wait for the next controller that moves, and write into the map that it moves an address."`
}

// noMap as --map means no map.
const noMap = "none"

// defaultTo is where an engine listens that was told nothing else.
const defaultTo = "127.0.0.1:5005"

// midiFlags are those of verbs that hear an input.
type midiFlags struct {
	engineFlag
	Port    string `help:"Path of a device, FIFO or pty, part of an input's name, or auto: the first." default:"auto" placeholder:"NAME"`
	Map     string `help:"File that says what controllers move; none: no file; default: midi.yaml in the user's configuration." placeholder:"FILE"`
	Channel int    `help:"Hear only this channel, 1 to 16; 0: all." default:"0" placeholder:"N"`
}

// config turns the flags into what package midi needs.
func (f midiFlags) config(s streams) (midi.Config, error) {
	if f.Channel < 0 || f.Channel > 16 {
		return midi.Config{}, fmt.Errorf("--channel %d: it is 1 to 16, or 0 for all", f.Channel)
	}
	c := midi.Config{Port: f.Port, Map: f.Map, Options: midi.Options{Channel: f.Channel}}
	c.Say = func(line string) { fmt.Fprintln(s.err, "chronus midi:", line) }
	switch f.Map {
	case noMap:
		c.Map = ""
	case "":
		if dir, err := os.UserConfigDir(); err == nil {
			c.Map = filepath.Join(dir, "chronus", "midi.yaml")
		}
	}
	return c, nil
}

type midiPlayCmd struct {
	midiFlags
	To    string `help:"Where to send OSC; default: the engine of the runtime directory." placeholder:"HOST:PORT"`
	Group string `help:"Group of voices that plays the notes; default: channel n plays the n-th, or the last." placeholder:"ID"`
	Clock bool   `help:"Follow a MIDI clock: tempo, start, stop, continue." default:"true" negatable:""`
}

// Run plays until a signal.
func (c *midiPlayCmd) Run(s streams) error {
	cfg, err := c.config(s)
	if err != nil {
		return err
	}
	cfg.Group, cfg.Clock = c.Group, c.Clock
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	if cfg.To, cfg.Ask, err = c.engine(ctx); err != nil {
		return err
	}
	return midi.Run(ctx, cfg)
}

// engine is where to send, and how to ask for the addresses there: nil if --to is not the runtime directory's engine.
func (c *midiPlayCmd) engine(ctx context.Context) (to string, ask func(context.Context) ([]osc.Entry, error), err error) {
	ctx, cancel := context.WithTimeout(ctx, replyWait)
	defer cancel()
	cl := c.client()
	st, err := cl.Status(ctx)
	switch {
	case err != nil && c.To != "", err == nil && c.To != "" && c.To != st.OSC:
		return c.To, nil, nil
	case err != nil: // it may come
		return defaultTo, cl.Addresses, nil
	case st.OSC == noOSC:
		return "", nil, errors.New("the engine listens for no OSC: start it without --osc none")
	}
	return st.OSC, cl.Addresses, nil
}

// noOSC is what a status has for an engine without a socket for OSC.
const noOSC = "none"

type midiPortsCmd struct{}

// Run lists the inputs.
func (*midiPortsCmd) Run(s streams) error {
	ports, err := midi.Finder{}.Ports()
	if err != nil {
		return err
	}
	if len(ports) == 0 {
		fmt.Fprintln(s.err, "chronus midi: no MIDI input; one that is plugged in is listed here, and any device, FIFO or pty can be named by its path")
	}
	for _, p := range ports {
		fmt.Fprintln(s.out, p)
	}
	return nil
}

type midiLearnCmd struct {
	midiFlags
	Address string   `arg:"" help:"OSC address, like /mod/filter1/cutoff."`
	Min     *float64 `help:"Value at the controller's one end; default: the least that the address takes." placeholder:"X"`
	Max     *float64 `help:"Value at its other end." placeholder:"X"`
	Curve   string   `help:"lin or exp; default: exp for Hz, else lin." placeholder:"NAME"`
}

// binding is what the flags say of the line to write.
func (c *midiLearnCmd) binding() (b midi.Binding, err error) {
	b.Address = c.Address
	if err := midi.CheckAddress(c.Address); err != nil {
		return b, err
	}
	if (c.Min == nil) != (c.Max == nil) {
		return b, errors.New("--min and --max come together, or neither")
	}
	if c.Min != nil {
		b.Ranged, b.Min, b.Max = true, *c.Min, *c.Max
	}
	switch c.Curve {
	case "":
	case "lin":
		b.Curve = midi.CurveLin
	case "exp":
		b.Curve = midi.CurveExp
	default:
		return b, fmt.Errorf("--curve %q: it is lin or exp", c.Curve)
	}
	return b, nil
}

// Run waits for a controller and writes it down.
func (c *midiLearnCmd) Run(s streams) error {
	cfg, err := c.config(s)
	if err != nil {
		return err
	}
	if cfg.Map == "" {
		return errors.New("--map: name the file to write to")
	}
	b, err := c.binding()
	if err != nil {
		return err
	}
	if _, err := midi.ReadMap(cfg.Map); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := b.Check(c.known(ctx)); err != nil {
		return fmt.Errorf("%w (start the engine with chronus up, or give --min and --max)", err)
	}
	fmt.Fprintf(s.err, "chronus midi: move the controller for %s\n", c.Address)
	if b.Channel, b.Controller, err = midi.Learn(ctx, cfg); err != nil {
		return fmt.Errorf("nothing was learnt: %w", err)
	}
	others, err := midi.AddBinding(cfg.Map, b)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: %s\n", cfg.Map, b)
	if others > 0 {
		fmt.Fprintf(s.err, "chronus midi: %d other lines of it move %s too\n", others, c.Address)
	}
	return nil
}

// known are the addresses of the engine that runs, nil if none answers.
func (c *midiLearnCmd) known(ctx context.Context) *midi.Addresses {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	entries, err := c.client().Addresses(ctx)
	if err != nil {
		return nil
	}
	a, err := midi.NewAddresses(entries)
	if err != nil {
		return nil
	}
	return a
}
