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

// fadeWait is how long the end of a process waits for its fade.
const fadeWait = 300 * time.Millisecond

// process is what an audio process does with orders: one device, one player, the workers' rings. It
// is one goroutine's; main.go has the threads, signals and sockets around it.
type process struct {
	backends []Backend
	words    shm.Playback
	journal  shm.Journal
	rings    rings
	notify   func(wire.Notice) bool // to the present engine; false: none has it
	clock    func() int64           // nanoseconds
	servers  func() soundserver.Servers
	await    func(limit time.Duration, ok func() bool) bool

	opened  *wire.Opened // what plays, for an engine that asks; nil: nothing yet
	player  *Player
	stream  Stream
	xruns   uint64
	path    string // the device's, as Info.Path has it: that allocates
	problem string // as the engine knows it
	started bool   // the device calls
}

func newProcess(backends []Backend, words shm.Playback, journal shm.Journal, d *livenessWatcher, tell func(wire.Notice) bool) *process {
	words.Touch()
	return &process{
		backends: backends, words: words, journal: journal, notify: tell, clock: sys.Monotonic, servers: soundserver.Look, await: pollFor,
		rings: rings{words: words, liveness: d},
	}
}

// pollFor looks every millisecond whether something has become true, and gives up after limit.
func pollFor(limit time.Duration, ok func() bool) bool {
	for began := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(began) > limit {
			return false
		}
	}
	return true
}

// handleOrder carries out one order, and takes over its descriptors. An error ends the process: there is no
// device to play on. An order that cannot be carried out does not.
func (p *process) handleOrder(o wire.Order, fds []int) error {
	if o.Attach != nil {
		p.attach(*o.Attach, fds)
		return nil
	}
	sys.CloseAll(fds)
	switch {
	case o.Open != nil && p.opened != nil: // an engine that has just taken over
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

// attach takes a worker's ring, or reports why it is refused: its worker is of no use then, and all
// others play on.
func (p *process) attach(o wire.AttachOrder, fds []int) {
	err := p.rings.attach(o, fds)
	if err != nil && !p.notify(wire.Notice{Refused: &wire.Refused{AttachOrder: o, Reason: err.Error()}}) {
		slog.Warn("ring refused", "slot", o.Slot, "generation", o.Generation, "error", err)
	}
}

// check is called every 50 ms (lookEvery). It reports what the device says, unmaps rings, and returns
// the error that ended the device.
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

// fits says what to do about a device that takes more at a time than the rings have room for.
func (p *process) fits(device string, frames int) error {
	most, ok := p.player.Fits(frames)
	if ok {
		return nil
	}
	return fmt.Errorf("device %q %w: %d frames at a time, %d at the most: use a shorter period, or a larger --block", device, errTooLong, frames, most)
}

var errTooLong = errors.New("takes more than the rings hold")

// end fades out, then closes the device. One that is lost is left to the kernel: its driver may
// never answer.
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
