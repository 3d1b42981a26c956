package audio

import (
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// heapLimit bounds the heap. The collector is off, and starts only if something leaks.
const heapLimit = 256 << 20

// The kernel ends this process if one of its real-time threads runs this long without sleeping.
const (
	runSoft = 300 * time.Millisecond
	runHard = 350 * time.Millisecond
)

// idleGrace is how long a process without a device goes on without an engine.
const idleGrace = 100 * time.Millisecond

// checkInterval is how often the device is checked.
const checkInterval = 50 * time.Millisecond

// Main returns the main function of an audio process that can open devices of the given backends.
// The backend "auto" tries them in this order. The main function returns the exit code.
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
	words, err := shm.AttachPlayback(wire.AudioEngine)
	if err != nil {
		return err
	}
	journal, err := shm.AttachJournal(wire.AudioJournal)
	if err != nil {
		return err
	}
	sys.SetName("chronus-audio")
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapLimit)
	_ = sys.ProcessNice(sys.NiceEngine)
	_ = sys.QuietRuntime()
	_ = sys.LimitRuntime(runSoft, runHard)
	_ = sys.LockPages()
	d := watchLiveness(words, journal)
	defer d.stop()
	var engine link
	p := newProcess(backends, words, journal, d, engine.notify)
	err = p.loop(&engine, listen(words))
	if err != nil && p.notify(wire.Notice{Failed: err.Error()}) {
		err = nil // the engine reports it
	}
	p.end()
	return err
}

// events are what an audio process waits for.
type events struct {
	orders       <-chan received
	check        <-chan time.Time
	term         <-chan os.Signal
	orphaned     <-chan error // no engine for the grace time
	idleOrphaned <-chan error // no engine for idleGrace
}

// listen starts to wait for orders, signals, and the end of the engine.
func listen(words shm.Playback) events {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGINT)
	orphaned, idleOrphaned := make(chan error, 1), make(chan error, 1)
	go func() { orphaned <- words.AwaitOrphan(words.Grace()) }()
	go func() { idleOrphaned <- words.AwaitOrphan(idleGrace) }()
	orders := make(chan received)
	go accept(sys.ListenerFromFD(wire.AudioListener), orders)
	return events{orders, time.Tick(checkInterval), term, orphaned, idleOrphaned}
}

// loop handles events, one at a time. Real-time threads do not take part.
func (p *process) loop(engine *link, h events) error {
	for {
		select {
		case r := <-h.orders:
			if !engine.admit(r) {
				continue
			}
			if err := p.handleOrder(r.order, r.fds); err != nil {
				return err
			}
		case <-h.check:
			if err := p.check(); err != nil {
				return err
			}
		case <-h.term:
			return nil
		case err := <-h.idleOrphaned:
			if p.stream == nil {
				return err // without a device there is nothing to keep playing
			}
		case err := <-h.orphaned:
			slog.Info("audio process ends: no engine", "error", err)
			return nil
		}
	}
}
