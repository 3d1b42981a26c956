//go:build sim

package audio

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/music-chronus/chronus/audio/soundserver"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// Sim is an audio process without threads and device, for the simulation of the engine.
type Sim struct {
	p      *process
	engine link
	device *simDevice
	now    int64 // the player's clock
}

// NewSim makes an audio process without an engine. Its device calls with at most period frames.
func NewSim(words shm.Playback, journal shm.Journal, period int) *Sim {
	s := &Sim{device: &simDevice{period: period}}
	d := &livenessWatcher{words: words, journal: journal, done: make(chan struct{})}
	s.p = newProcess([]Backend{s.device}, words, journal, d, s.engine.notify)
	s.p.servers = func() soundserver.Servers { return soundserver.Servers{} }
	s.p.clock = func() int64 {
		s.now += 2 * int64(answerTime) // so two calls are no burst
		return s.now
	}
	return s
}

// SetExtra sets the extra blocks of the lead from the next call on, as late workers would.
func (s *Sim) SetExtra(blocks uint64) { s.p.player.lead.extra = blocks }

// Connect connects an engine. Unread packets of the engine before it are lost.
func (s *Sim) Connect(engine *sys.Socket) {
	before := s.engine.Socket
	s.engine.admit(received{from: engine, connected: true})
	if before != nil {
		s.engine.admit(received{from: before, disconnected: true})
	}
}

// HandleOrders carries out the orders that have arrived.
func (s *Sim) HandleOrders() error {
	for s.engine.Socket != nil {
		if poll := []sys.PollFD{{FD: s.engine.FD()}}; sys.Poll(poll, nil, 0) == nil || !poll[0].Ready {
			break
		}
		o, fds, err := wire.Receive[wire.Order](s.engine.Socket)
		r := received{from: s.engine.Socket, order: o, fds: fds, disconnected: errors.Is(err, io.EOF)}
		if err != nil && !r.disconnected {
			return err
		}
		if s.engine.admit(r) {
			if err := s.p.handleOrder(r.order, r.fds); err != nil {
				return err
			}
		}
	}
	return nil
}

// Started reports whether the device calls.
func (s *Sim) Started() bool { return s.p.started }

// Fill is a call of the device. Call it only after Started.
func (s *Sim) Fill(out []float32) { s.device.fill(out) }

// PollLiveness removes workers that have died since the last call.
func (s *Sim) PollLiveness() { s.p.rings.liveness.poll(nil) }

// Check does what the process does every 50 ms, and returns the error that ended the device. A ring
// that the callback reads must be mapped; otherwise Check returns an error too.
func (s *Sim) Check() error {
	if err := s.p.check(); err != nil {
		return err
	}
	for slot := range s.p.rings.current {
		if p := s.p.player; p != nil && p.Reads(slot) != 0 && !s.p.rings.mapped(slot, p.Reads(slot)) {
			return fmt.Errorf("slot %d: the callback reads generation %d, which is not mapped", slot, p.Reads(slot))
		}
	}
	return nil
}

// mapped reports whether the ring of a generation is mapped.
func (r *rings) mapped(slot int, gen uint64) bool {
	return slices.ContainsFunc(append(slices.Clip(r.previous[slot]), r.current[slot]), func(m *mapping) bool {
		return m.reader.Generation() == gen && m.seg.FD() >= 0
	})
}

// Close unmaps the rings and closes the connection. No method may be called after it.
func (s *Sim) Close() {
	s.p.rings.close()
	if s.engine.Socket != nil {
		_ = s.engine.Close()
	}
}

// close unmaps all rings.
func (r *rings) close() {
	for slot, m := range r.current {
		for _, m := range append(r.previous[slot], m) {
			if m != nil {
				m.seg.Close()
			}
		}
	}
}

// simDevice is a backend whose device calls when the simulation does.
type simDevice struct {
	period int
	info   Info
	fill   Fill
}

func (d *simDevice) Name() string               { return "simulation" }
func (d *simDevice) Devices() ([]Device, error) { return nil, nil }

func (d *simDevice) Open(r Request, fill Fill) (Stream, error) {
	d.fill = fill
	d.info = Info{Backend: d.Name(), Device: d.Name(), Rate: r.Rate, Channels: r.Channels, Period: d.period}
	return d, nil
}

func (d *simDevice) Info() Info    { return d.info }
func (d *simDevice) Start() error  { return nil }
func (d *simDevice) Stop() error   { return nil }
func (d *simDevice) Close() error  { return nil }
func (d *simDevice) Xruns() uint64 { return 0 }
func (d *simDevice) Err() error    { return nil }
