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

// midiCmd has the commands for MIDI inputs.
type midiCmd struct {
	Play  midiPlayCmd  `cmd:"" default:"withargs" help:"Play a running engine with a MIDI input until Ctrl-C."`
	Ports midiPortsCmd `cmd:"" help:"List the MIDI inputs."`
	Learn midiLearnCmd `cmd:"" help:"Map the next controller that moves to an address."`
}

// noMap as --map means that there is no map.
const noMap = "none"

// defaultTo is the OSC address of an engine without --osc.
const defaultTo = "127.0.0.1:5005"

// midiFlags belong to the commands that read an input.
type midiFlags struct {
	engineFlag
	Port    string `help:"Path of a device, FIFO or pty, part of an input's name, or auto for the first input." default:"auto" placeholder:"NAME"`
	Map     string `help:"File that maps controllers to addresses; none: no file; default: midi.yaml in the user's configuration." placeholder:"FILE"`
	Channel int    `help:"Channel to read, 1 to 16; 0: all." default:"0" placeholder:"N"`
}

// config returns the configuration that the flags describe.
func (f midiFlags) config(s streams) (midi.Config, error) {
	if f.Channel < 0 || f.Channel > 16 {
		return midi.Config{}, fmt.Errorf("--channel %d: must be 1 to 16, or 0 for all", f.Channel)
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
	To    string `help:"Address to send OSC to; default: the engine of the runtime directory." placeholder:"HOST:PORT"`
	Group string `help:"Group of voices for the notes; default: channel n plays the n-th group, or the last." placeholder:"ID"`
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

// engine returns the address to send to, and how to get its OSC addresses, or nil if --to is not
// the engine of the runtime directory.
func (c *midiPlayCmd) engine(ctx context.Context) (to string, ask func(context.Context) ([]osc.Entry, error), err error) {
	ctx, cancel := context.WithTimeout(ctx, replyWait)
	defer cancel()
	cl := c.client()
	st, err := cl.Status(ctx)
	switch {
	case err != nil && c.To != "", err == nil && c.To != "" && c.To != st.OSC:
		return c.To, nil, nil
	case err != nil: // an engine may start later
		return defaultTo, cl.Addresses, nil
	case st.OSC == noOSC:
		return "", nil, errors.New("the engine has no OSC address: start it without --osc none")
	}
	return st.OSC, cl.Addresses, nil
}

// noOSC is the OSC address in the status of an engine without one.
const noOSC = "none"

type midiPortsCmd struct{}

// Run lists the inputs.
func (*midiPortsCmd) Run(s streams) error {
	ports, err := midi.Finder{}.Ports()
	if err != nil {
		return err
	}
	if len(ports) == 0 {
		fmt.Fprintln(s.err, "chronus midi: no MIDI input; plug one in, or name a device, FIFO or pty by its path")
	}
	for _, p := range ports {
		fmt.Fprintln(s.out, p)
	}
	return nil
}

type midiLearnCmd struct {
	midiFlags
	Address string   `arg:"" help:"OSC address, like /mod/filter1/cutoff."`
	Min     *float64 `help:"Value at the controller's low end; default: the least that the address takes." placeholder:"X"`
	Max     *float64 `help:"Value at the controller's high end; default: the most that the address takes." placeholder:"X"`
	Curve   string   `help:"lin or exp; default: exp for Hz, else lin." placeholder:"NAME"`
}

// binding returns the binding that the flags describe, without its controller.
func (c *midiLearnCmd) binding() (b midi.Binding, err error) {
	b.Address = c.Address
	if err := midi.CheckAddress(c.Address); err != nil {
		return b, err
	}
	if (c.Min == nil) != (c.Max == nil) {
		return b, errors.New("--min and --max: give both or neither")
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
		return b, fmt.Errorf("--curve %q: must be lin or exp", c.Curve)
	}
	return b, nil
}

// Run waits for a controller and writes its binding into the map.
func (c *midiLearnCmd) Run(s streams) error {
	cfg, err := c.config(s)
	if err != nil {
		return err
	}
	if cfg.Map == "" {
		return errors.New("--map none: name the file to write to")
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
		return fmt.Errorf("controller not learned: %w", err)
	}
	others, err := midi.AddBinding(cfg.Map, b)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: %s\n", cfg.Map, b)
	if others > 0 {
		fmt.Fprintf(s.err, "chronus midi: %d other lines of %s move %s too\n", others, cfg.Map, c.Address)
	}
	return nil
}

// known returns the addresses of the running engine, or nil if none answers.
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
