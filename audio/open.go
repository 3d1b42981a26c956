package audio

import (
	"errors"
	"fmt"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// probeCalls is how many callbacks are watched to learn the period of a device that does not
// tell, and probeWait how long.
const (
	probeCalls = 8
	probeWait  = 2 * time.Second
)

const (
	auto       = "auto" // the first backend that can open its default device
	lastResort = "null" // the backend that can always be opened
)

// open opens a device, learns its period, and tells the engine.
func (p *process) open(o shm.OpenOrder) error {
	g := p.words.Geometry()
	request := Request{
		Rate: o.Rate, Channels: o.Channels, Period: o.Period, Again: o.Again, ClientName: o.Client,
		Ready: func(frames int) bool { return p.player.Ready(frames) },
	}
	if o.Wiring != nil {
		request.Wiring, request.WiringOf = o.Wiring.Ports, o.Wiring.Of
	}
	// No backend calls before Start: by then there is a player.
	c, err := p.choose(o, request, func(out []float32) { p.player.Fill(out) })
	if err != nil {
		return err
	}
	info := c.stream.Info()
	p.stream, p.player = c.stream, NewPlayer(p.words, p.journal, info.Channels)
	p.path = info.Path()
	p.rings.player, p.player.clock = p.player, p.clock
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
	if info.Rate != int(g.Rate) {
		return fmt.Errorf("device %q runs at %d Hz, not %d: start with --rate %d", info.Device, info.Rate, g.Rate, info.Rate)
	}
	p.opened = &shm.Opened{
		Backend: info.Backend, API: info.API, Device: info.Device, Rate: info.Rate,
		Channels: info.Channels, Period: info.Period, Second: c.second, Note: join(c.note, info.Note),
		Wiring: o.Wiring,
	}
	p.noteWiring()
	p.tell(shm.Notice{Opened: p.opened})
	return nil
}

// warm makes a backend ready to be opened. That it cannot be will be seen when it is to be.
func (p *process) warm(name string) {
	for _, b := range p.backends {
		if w, ok := b.(Warmer); ok && b.Name() == name {
			_ = w.Warm()
		}
	}
}

// choice is the device that was opened, with what the user should know of it.
type choice struct {
	stream Stream
	second bool // it is not the preferred one
	note   string
}

// choose opens the first target that can be.
func (p *process) choose(o shm.OpenOrder, r Request, fill Fill) (c choice, err error) {
	targets := append([]shm.Target{o.Target}, o.Others...)
	if o.Alone {
		targets = targets[:1]
	}
	if o.Anyhow {
		targets = append(targets, shm.Target{Backend: lastResort})
	}
	for i, t := range targets {
		s, first, why, err := p.try(t, o.Alone, r, fill)
		c.note = join(c.note, why)
		if err == nil {
			c.stream, c.second = s, i > 0 || !first
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

// try opens one target. With "auto" that is the first backend that can, or, if alone, the first of
// those before the last resort. note says why those before it could not.
func (p *process) try(t shm.Target, alone bool, r Request, fill Fill) (s Stream, first bool, note string, err error) {
	r.Device = t.Device
	known := ""
	for i, b := range p.backends {
		known = join(known, b.Name())
		if t.Backend != auto && t.Backend != b.Name() {
			continue
		}
		second := t.Backend == auto && i > 0 && b.Name() == lastResort
		if second && alone {
			break
		}
		s, err := b.Open(r, fill)
		if err == nil {
			return s, !second, note, nil
		}
		if t.Backend != auto {
			return nil, false, "", err
		}
		note = join(note, err.Error())
		if !errors.Is(err, ErrOtherBackend) {
			r.Device = "" // the name meant another backend's device
		}
	}
	if t.Backend == auto {
		return nil, false, "", fmt.Errorf("no backend could open a device: %s", note)
	}
	return nil, false, "", fmt.Errorf("backend %q is unknown; there are auto, %s", t.Backend, known)
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// probe lets the device call, in silence, until its period is known.
func (p *process) probe() error {
	p.player.Hold(true) // another process may still play
	if err := p.call(); err != nil {
		return err
	}
	if !p.await(probeWait, func() bool { return p.player.Calls() >= probeCalls }) {
		return fmt.Errorf("device %q was opened but asked for sound %d times in %v", p.stream.Info().Device, p.player.Calls(), probeWait)
	}
	return nil
}
