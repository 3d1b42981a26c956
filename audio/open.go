package audio

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/audio/soundserver"
	"github.com/music-chronus/chronus/shm/wire"
)

// The period of a device that does not tell it is measured over probeCalls callbacks, within
// probeWait.
const (
	probeCalls = 8
	probeWait  = 2 * time.Second
)

const (
	auto        = "auto" // the first backend that can open its default device
	nullBackend = "null" // the backend that can always be opened
)

// open opens the first usable target, measures its period, and notifies the engine. It skips a
// device that never asks for sound, such as a server without a sink, and one that takes more frames
// at a time than the rings hold.
func (p *process) open(o wire.OpenOrder) error {
	targets, note := o.Targets(nullBackend), ""
	for first := true; ; first = false {
		c, err := p.choose(targets, o)
		c.note, c.onFallback = join(note, c.note), c.onFallback || !first
		if err != nil {
			return err
		}
		if err = p.useDevice(c, o); !errors.Is(err, errSilent) && !errors.Is(err, errTooLong) {
			return err
		}
		c.player.Store(nil)
		if errors.Is(err, errTooLong) {
			_ = p.stream.Close()
		}
		// The silent device stays open until the process ends: its driver may hang or abort
		// in Close.
		p.stream, p.player, p.started = nil, nil, false
		if len(c.rest) == 0 {
			return err
		}
		targets, note = c.rest, join(note, err.Error())
	}
}

// useDevice makes the chosen device the one that plays.
func (p *process) useDevice(c choice, o wire.OpenOrder) error {
	g, info := p.words.Geometry(), c.stream.Info()
	p.stream, p.path = c.stream, info.Path()
	p.player = NewPlayer(p.words, p.journal, info.Channels)
	p.rings.player, p.player.clock = p.player, p.clock
	c.player.Store(p.player)
	if info.Period == 0 {
		info.Period = o.Known
	}
	if info.Period == 0 {
		if err := p.probe(); err != nil {
			return err
		}
	}
	info.Period = max(info.Period, p.player.Burst())
	if err := p.fits(info.Device, info.Period); err != nil {
		return err
	}
	p.player.Expect(info.Period)
	if o.Period > 0 && !o.Again && info.Period != o.Period {
		return fmt.Errorf("device %q takes %d frames at a time, not %d: start with --period %d or leave --period out",
			info.Device, info.Period, o.Period, info.Period)
	}
	if info.Rate != int(g.Rate) {
		return fmt.Errorf("device %q runs at %d Hz, not %d: start with --rate %d", info.Device, info.Rate, g.Rate, info.Rate)
	}
	p.opened = &wire.Opened{
		Backend: info.Backend, API: info.API, Device: info.Device, Rate: info.Rate,
		Channels: info.Channels, Period: info.Period, OnFallback: c.onFallback, Note: join(c.note, info.Note),
		Library: soundserver.InUse(), Wiring: o.Wiring,
	}
	p.opened.Path, p.opened.Advice = p.servers().Explain(info.Backend, info.API, info.Device, p.opened.Library)
	p.reportWiring()
	p.notify(wire.Notice{Opened: p.opened})
	return nil
}

// warm prepares a backend for a later Open, which reports any failure.
func (p *process) warm(name string) {
	for _, b := range p.backends {
		if w, ok := b.(Warmer); ok && b.Name() == name {
			_ = w.Warm()
		}
	}
}

// choice is an open device, with what the user should know about it.
type choice struct {
	stream     Stream
	onFallback bool // another device than the preferred one
	note       string
	rest       []wire.Target           // targets after it
	player     *atomic.Pointer[Player] // fills what the device asks for; nil: silence, since another device plays
}

// choose opens the first target that can be opened.
func (p *process) choose(targets []wire.Target, o wire.OpenOrder) (c choice, err error) {
	player := new(atomic.Pointer[Player])
	r := Request{
		Rate: o.Rate, Channels: o.Channels, Period: o.Period, Again: o.Again,
		ClientName: o.ClientName, Ready: func(frames int) bool { return p.player.Ready(frames) },
	}
	r.Prepare = func(frames int) {
		if p := player.Load(); p != nil {
			p.Prepare(frames)
		}
	}
	if o.Wiring != nil {
		r.Wiring, r.WiringOf = o.Wiring.Ports, o.Wiring.Of
	}
	fill := func(out []float32) {
		if p := player.Load(); p != nil {
			p.Fill(out)
		} else {
			clear(out)
		}
	}
	for i, t := range targets {
		s, first, why, err := p.try(t, o.Alone, r, fill)
		c.note = join(c.note, why)
		if err == nil {
			c.stream, c.player, c.onFallback, c.rest = s, player, i > 0 || !first, targets[i+1:]
			if c.note != "" {
				c.note += "; using " + s.Info().Backend
			}
			return c, nil
		}
		if len(targets) == 1 {
			return c, err
		}
		c.note = join(c.note, err.Error())
	}
	return c, fmt.Errorf("no device could be opened: %s", c.note)
}

// try opens one target. For "auto", first is false if that is the null device, and note says why
// the others could not be opened.
func (p *process) try(t wire.Target, alone bool, r Request, fill Fill) (s Stream, first bool, note string, err error) {
	r.Device = t.Device
	if t.Backend == auto {
		return p.tryAll(alone, r, fill)
	}
	known := ""
	for _, b := range p.backends {
		if b.Name() == t.Backend {
			s, err := openWithin(b, r, fill)
			return s, err == nil, "", err
		}
		known = join(known, b.Name())
	}
	return nil, false, "", fmt.Errorf("backend %q is unknown: choose auto, %s", t.Backend, known)
}

// tryAll opens the first backend that can be opened. It uses the null device only on a machine that
// has nothing else: not if the user named a device, if a device refused the request, or if a
// running server offers none. Backends after null are used by name only.
func (p *process) tryAll(alone bool, r Request, fill Fill) (s Stream, first bool, note string, err error) {
	refusal := false
	r.Audible = !r.Again // a device that has played may wait for its port to return
	for i, b := range p.backends {
		last := b.Name() == nullBackend
		if last && i > 0 {
			if name := p.servers().Name(); name != "" && !alone {
				refusal = true
				note = join(note, name+" is running and offers no device: restart it, or start with --fallback null")
			}
			if alone || refusal || r.Device != "" && r.Device != nullBackend {
				break
			}
		}
		s, err := openWithin(b, r, fill)
		if err == nil {
			return s, i == 0 || !last || r.Device == nullBackend, note, nil
		}
		refusal = refusal || isRefused(err)
		note = join(note, err.Error())
		if last {
			break
		}
	}
	return nil, false, "", fmt.Errorf("no backend could open a device: %s", note)
}

// openWait is how long a driver may take to open or start: it may hang with its server.
const openWait = 5 * time.Second

// openWithin opens a device, unless its driver hangs. A stream that opens too late stays until the
// process ends.
func openWithin(b Backend, r Request, fill Fill) (Stream, error) {
	opened := make(chan Stream, 1)
	err := within(func() error {
		s, err := b.Open(r, fill)
		opened <- s
		return err
	})
	if errors.Is(err, errHangs) {
		return nil, fmt.Errorf("backend %s: open %q: %w", b.Name(), r.Device, err)
	}
	return <-opened, err
}

var errHangs = errors.New("the driver hangs")

func within(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(openWait):
		return errHangs
	}
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

var errSilent = errors.New("was opened but asked for no sound")

// probe lets the device call, in silence, until its period is known.
func (p *process) probe() error {
	p.player.Hold(true) // another process may still play
	if err := p.call(); err != nil {
		return err
	}
	if !p.await(probeWait, func() bool { return p.player.Calls() >= probeCalls }) {
		return fmt.Errorf("device %q %w (%d times in %v): choose another that chronus devices lists",
			p.stream.Info().Device, errSilent, p.player.Calls(), probeWait)
	}
	return nil
}

// call lets the device call.
func (p *process) call() error {
	if p.started {
		return nil
	}
	p.started = true
	err := within(p.stream.Start)
	if errors.Is(err, errHangs) {
		return fmt.Errorf("device %q %w: no start within %v: choose another that chronus devices lists",
			p.stream.Info().Device, errSilent, openWait)
	}
	return err
}
