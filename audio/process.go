package audio

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/music-chronus/chronus/audio/soundserver"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// fadeWait is how long a process that ends waits for its fade.
const fadeWait = 300 * time.Millisecond

// process handles the orders of an audio process: one device, one player, and the workers' rings.
// One goroutine uses it. main.go has the threads, signals and sockets around it.
type process struct {
	backends []Backend
	words    shm.Playback
	journal  shm.Journal
	rings    rings
	notify   func(wire.Notice) bool // sends to the present engine; false: there is none
	clock    func() int64           // nanoseconds
	servers  func() soundserver.Servers
	await    func(limit time.Duration, ok func() bool) bool

	opened  *wire.Opened // the device that plays, for an engine that takes over; nil: none yet
	player  *Player
	stream  Stream
	xruns   uint64
	path    string // of the device; Info.Path would allocate
	problem string // last one that the engine knows
	started bool   // the device calls
}

func newProcess(
	backends []Backend, words shm.Playback, journal shm.Journal, w *livenessWatcher, notify func(wire.Notice) bool,
) *process {
	words.Touch()
	return &process{
		backends: backends, words: words, journal: journal, rings: rings{words: words, liveness: w},
		notify: notify, clock: sys.Monotonic, servers: soundserver.Look, await: pollFor,
	}
}

// pollFor calls ok every millisecond until it is true, or until limit has passed.
func pollFor(limit time.Duration, ok func() bool) bool {
	for began := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(began) > limit {
			return false
		}
	}
	return true
}

// handleOrder carries out one order and takes over its descriptors. An error ends the process:
// there is no device to play on. An order that fails otherwise is reported, and the process goes
// on.
func (p *process) handleOrder(o wire.Order, fds []int) error {
	if o.Attach != nil {
		p.attach(*o.Attach, fds)
		return nil
	}
	sys.CloseAll(fds)
	switch {
	case o.Open != nil && p.opened != nil: // an engine that takes over
		p.notify(wire.Notice{Opened: p.opened})
	case o.Open != nil:
		return p.open(*o.Open)
	case o.Warm != "":
		p.warm(o.Warm)
	case o.Start && p.opened == nil:
		slog.Warn("order to start ignored: no device is open; send an order to open one first")
	case o.Start:
		p.player.Hold(false)
		return p.call()
	}
	return nil
}

// attach maps a worker's ring, or reports why it is refused. Then the engine replaces that worker,
// and the other rings play on.
func (p *process) attach(o wire.AttachOrder, fds []int) {
	err := p.rings.attach(o, fds)
	if err != nil && !p.notify(wire.Notice{Refused: &wire.Refused{AttachOrder: o, Reason: err.Error()}}) {
		slog.Warn("ring refused", "slot", o.Slot, "generation", o.Generation, "error", err)
	}
}

// check runs every 50 ms (checkInterval). It reports changes of the device, unmaps old rings, and
// returns the error that ended the device.
func (p *process) check() error {
	if p.stream == nil {
		return nil
	}
	p.rings.retire()
	if burst := p.player.Burst(); p.opened != nil && burst != p.opened.Period {
		if err := p.fits(p.opened.Device, burst); err != nil {
			return err
		}
		p.opened.Period = burst
		p.notify(wire.Notice{Opened: p.opened})
	}
	if t, ok := p.stream.(ProblemReporter); ok {
		if now := t.Problem(); now != p.problem && p.notify(wire.Notice{Problem: &now}) {
			p.problem = now
		}
	}
	p.reportWiring()
	n := p.stream.Xruns()
	p.words.AddXruns(n - p.xruns)
	p.xruns = n
	return p.stream.Err()
}

// fits returns an error if the device takes more frames at a time than the rings can hold.
func (p *process) fits(device string, frames int) error {
	most, ok := p.player.Fits(frames)
	if ok {
		return nil
	}
	return fmt.Errorf("device %q %w: %d frames at a time, at most %d: use a shorter period or a larger --block",
		device, errTooLong, frames, most)
}

var errTooLong = errors.New("takes more than the rings hold")

// end fades out, then closes the device. A lost device stays open until the process ends: its
// driver may hang.
func (p *process) end() {
	if p.stream == nil || p.stream.Err() != nil {
		return
	}
	if p.started {
		p.player.FadeOut()
		p.await(fadeWait, p.player.Faded)
		if err := p.stream.Stop(); err != nil {
			slog.Warn("stop the device", "error", err)
		}
	}
	if err := p.stream.Close(); err != nil {
		slog.Warn("close the device", "error", err)
	}
}
