package audio

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/soundserver"
)

// heapLimit bounds the heap: the collector is off, and comes on only if something leaks.
const heapLimit = 256 << 20

// desertedAfter is how long a process without a device goes on without an engine.
const desertedAfter = 100 * time.Millisecond

// fadeWait is how long the end of this process waits for its fade.
const fadeWait = 300 * time.Millisecond

// process is the audio process: one device, one player, and an engine at the other end of a socket: the one that
// started it, or one after that.
type process struct {
	backends []Backend
	words    shm.Playback
	journal  shm.Journal
	engine   link
	opened   *shm.Opened // what plays, for an engine that asks
	player   *Player
	deaths   *deaths
	stream   Stream
	xruns    uint64
	trouble  string // as the engine knows it
	started  bool   // the device calls
	look     func() soundserver.Servers
	rings    [shm.MaxSlots]*shm.Segment
}

// Main returns the audio process, which can open devices of the given backends; "auto" tries
// them in this order. The returned function gives the exit code.
func Main(backends ...Backend) func() int {
	return func() int {
		if err := run(backends); err != nil {
			slog.Error("audio process ended", "pid", os.Getpid(), "error", err)
			return 1
		}
		return 0
	}
}

func run(backends []Backend) error {
	p := &process{backends: backends, look: soundserver.Look}
	var err error
	if p.words, err = shm.AttachPlayback(shm.AudioEngine); err != nil {
		return err
	}
	if p.journal, err = shm.AttachJournal(shm.AudioJournal); err != nil {
		return err
	}
	sys.SetName("chronus-audio")
	_ = sys.ProcessFIFO(sys.PriorityAudio) // all threads: a callback in Go may have to wait for any of them
	_ = sys.LockPages()
	p.words.SetFaded(false)
	p.deaths = watchDeaths(p.words, p.journal)
	defer p.deaths.stop()
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGINT)
	orphaned := make(chan error, 1)
	go func() { orphaned <- p.words.AwaitOrphan(p.words.Grace()) }()
	deserted := make(chan error, 1)
	go func() { deserted <- p.words.AwaitOrphan(desertedAfter) }()
	orders := make(chan received)
	go accept(sys.ListenerFromFD(shm.AudioListener), orders)
	err = p.loop(orders, term, orphaned, deserted)
	if err != nil && p.engine.tell(shm.Notice{Failed: err.Error()}) {
		err = nil // the engine says it
	}
	p.end()
	return err
}

// loop is the process's one non-real-time thread of work: orders, device errors, the end.
func (p *process) loop(orders <-chan received, term <-chan os.Signal, orphaned, deserted <-chan error) error {
	watch := time.NewTicker(50 * time.Millisecond)
	defer watch.Stop()
	for {
		select {
		case r := <-orders:
			if !p.engine.follow(r) {
				continue
			}
			if err := p.obey(r); err != nil {
				return err
			}
		case <-watch.C:
			if err := p.check(); err != nil {
				return err
			}
		case <-term:
			return nil
		case err := <-deserted:
			if p.stream == nil {
				return err // it has nothing to play on for
			}
		case err := <-orphaned:
			slog.Info("audio process ends: no engine", "error", err)
			return nil
		}
	}
}

func (p *process) obey(r received) error {
	switch {
	case r.order.Open != nil && p.opened != nil: // an engine that has just taken over
		p.engine.tell(shm.Notice{Opened: p.opened})
	case r.order.Open != nil:
		return p.open(*r.order.Open)
	case r.order.Warm != "":
		p.warm(r.order.Warm)
	case r.order.Attach != nil:
		return p.attach(*r.order.Attach, r.fds)
	case r.order.Start:
		return p.start()
	}
	return nil
}

// check carries the device's xruns over, and tells a period that is longer than was thought, and an error that ended it.
func (p *process) check() error {
	if p.stream == nil {
		return nil
	}
	if period := p.player.Period(); p.opened != nil && period > p.opened.Period {
		p.opened.Period = period
		p.engine.tell(shm.Notice{Opened: p.opened})
	}
	if t, ok := p.stream.(Troubled); ok {
		if now := t.Trouble(); now != p.trouble && p.engine.tell(shm.Notice{Trouble: &now}) {
			p.trouble = now
		}
	}
	n := p.stream.Xruns()
	p.words.AddXruns(n - p.xruns)
	p.xruns = n
	return p.stream.Err()
}

// attach maps a worker's ring and hands it to the callback; the ring before it is unmapped
// only when the callback has left it, or is not running.
func (p *process) attach(o shm.AttachOrder, fds []int) error {
	if len(fds) != 1 || p.player == nil {
		return fmt.Errorf("ring of slot %d came with %d descriptors, device open: %t", o.Slot, len(fds), p.player != nil)
	}
	seg, err := shm.AttachSlot(fds[0], false)
	if err != nil {
		return err
	}
	slot, gen := seg.Slot()
	if old := p.rings[slot%len(p.rings)]; old != nil && seg.Geometry() == p.words.Geometry() {
		if _, has := old.Slot(); has == gen {
			seg.Close() // an engine that has just taken over does not know that it is here
			return nil
		}
	}
	if slot != o.Slot || gen != o.Generation || slot >= len(p.rings) || seg.Geometry() != p.words.Geometry() {
		seg.Close()
		return fmt.Errorf("ring of slot %d generation %d was announced as %d, %d: %w", slot, gen, o.Slot, o.Generation, shm.ErrCorrupt)
	}
	p.player.Attach(slot, seg.AudioReader())
	p.deaths.watch(slot, seg.Life())
	old := p.rings[slot]
	p.rings[slot] = seg
	if old != nil {
		go p.retire(old, slot, gen)
	}
	return nil
}

// retire unmaps a ring once the callback reads its successor, of generation gen or later. A
// callback that has stopped may still be inside it: then the mapping stays.
func (p *process) retire(old *shm.Segment, slot int, gen uint64) {
	for range 1000 {
		if p.words.Mapped(slot) >= gen {
			old.Close()
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// end fades out, then closes the device. One that is lost is left to the kernel: its driver may never answer.
func (p *process) end() {
	if p.stream == nil || p.stream.Err() != nil {
		return
	}
	p.player.FadeOut()
	for began := time.Now(); p.started && !p.words.Faded() && time.Since(began) < fadeWait; {
		time.Sleep(2 * time.Millisecond)
	}
	if err := p.stream.Stop(); err != nil {
		slog.Warn("stop the device", "error", err)
	}
	if err := p.stream.Close(); err != nil {
		slog.Warn("close the device", "error", err)
	}
}
