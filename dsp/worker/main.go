// Package worker is the worker process: it renders a dsp/stream in lockstep with its
// peers, by the rules of the failover protocol, into its own ring. It is the only part of dsp
// that knows shared memory and other processes; what it renders is dsp/stream's business.
package worker

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// heapLimit bounds the heap: the collector is off, and comes on only if something leaks.
const heapLimit = 256 << 20

// runLimit is how long a render thread may run without sleeping before the kernel ends the
// process: a catch-up of a joiner is shorter, an endless loop in a module is not.
const runLimit = 3 * time.Second

// seedWait is how long a worker waits for its state before it gives up.
const seedWait = 30 * time.Second

// Main is the worker process. It returns its exit code; it returns only when the
// process should end.
func Main() int { return With()() }

// With is Main for a program that has modules of its own: they are to be the same as in its engine's Config.
func With(own ...*dsp.Desc) func() int {
	return func() int { return work(own) }
}

func work(own []*dsp.Desc) int {
	if err := run(own); err != nil {
		slog.Error("worker ended", "pid", os.Getpid(), "error", err)
		return 1
	}
	return 0
}

func run(own []*dsp.Desc) error {
	if err := patch.CheckModules(own); err != nil {
		return err
	}
	realTime()
	order, fds, err := place()
	if err != nil || fds == nil {
		return err
	}
	l, seed, err := attach(fds, order.Samples, own)
	if err != nil {
		return err
	}
	go holdLife(l.cmds, l.rec)
	if err := l.begin(seed); err != nil {
		return err
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapLimit)
	debug.SetPanicOnFault(true) // a module's wild pointer is that module's panic
	go endWhenOrphaned(l.view)
	go endOnSignal(l.rec)
	l.maker.running = true
	go l.maker.run()
	return l.run()
}

// realTime asks for what a render thread should have. Each refusal is bearable: the engine
// has told the user. All threads get the same priority, so it does not matter which of them
// Go's scheduler lets render: to tie the loop to one would cost two switches at each of the scheduler's turns.
func realTime() {
	sys.SetName("chronus-worker")
	if sys.ProcessFIFO(sys.PriorityWorker) == nil {
		_ = sys.LimitRuntime(runLimit)
	}
	_ = sys.LockPages()
}

// endOnSignal ends the process at once on signals for which Go would first print every stack: sent
// from outside they say nothing about this program. A fault of its own is a panic, and does not come here.
// SIGXCPU is the kernel's word that the render thread has not slept for runLimit: that is put on record first.
func endOnSignal(rec shm.Recorder) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGABRT, syscall.SIGQUIT, syscall.SIGXCPU)
	sig := (<-c).(syscall.Signal)
	if sig == syscall.SIGXCPU {
		rec.Ended(shm.CauseEndless, 0)
	}
	os.Exit(128 + int(sig))
}

// endWhenOrphaned ends the process when no engine has come back for it within the grace time.
func endWhenOrphaned(v shm.View) {
	err := v.AwaitOrphan(v.Grace())
	slog.Info("worker ends: no engine", "pid", os.Getpid(), "error", err)
	os.Exit(0)
}

// place waits until the engine has a place for this process, which may have been started ahead of
// need, and returns the order and the descriptors. None: the engine is gone, and this process has nothing to play on for.
func place() (order shm.WorkerOrder, fds []int, err error) {
	s := sys.SocketFromFD(shm.WorkerSocket)
	defer s.Close()
	order, fds, err = shm.ReceiveWire[shm.WorkerOrder](s)
	if errors.Is(err, io.EOF) {
		return order, nil, nil
	}
	if err == nil && len(fds) != shm.WorkerFDs {
		err = fmt.Errorf("%d descriptors came with the place, not %d: %w", len(fds), shm.WorkerFDs, shm.ErrCorrupt)
	}
	return order, fds, err
}

// watchTick is how often the render thread is looked after, and watchPatience how many looks may find it in one
// block: a block that takes so long is an endless loop, or might as well be.
const (
	watchTick     = 50 * time.Millisecond
	watchPatience = 3
)

// holdLife keeps a thread whose end tells the engine of the process's. It has the highest priority of the
// process's threads, so that it is the first to end, and that it can end a module's endless loop: such loops, at real-time priority on
// every core, would leave nobody else to do so.
func holdLife(c shm.CommandReader, rec shm.Recorder) {
	runtime.LockOSThread()
	_ = sys.ThreadFIFO(sys.PriorityLife)
	sys.HoldLife(c.Life())
	last, looks := shm.Status{}, 0
	for {
		sys.Sleep(watchTick)
		now := rec.Own()
		if looks++; !now.Rendering || now.Block != last.Block {
			looks = 0
		}
		last = now
		if looks >= watchPatience {
			rec.Ended(shm.CauseEndless, 0)
			os.Exit(ExitEndless)
		}
	}
}

// attach maps what the engine handed over, and compiles the patch, whose samples are in that folder, and which may have own modules.
func attach(fds []int, folder string, own []*dsp.Desc) (*loop, shm.SeedReader, error) {
	none := shm.SeedReader{}
	view, err := shm.AttachView(fds[shm.WorkerEngine])
	if err != nil {
		return nil, none, err
	}
	slot, err := shm.AttachSlot(fds[shm.WorkerSlot], true)
	if err != nil {
		return nil, none, err
	}
	number, gen := slot.Slot()
	rec, err := shm.AttachRecorder(fds[shm.WorkerJournal], number, gen)
	if err != nil {
		return nil, none, err
	}
	snap, err := shm.AttachSnapshot(fds[shm.WorkerSnapshot])
	if err != nil {
		return nil, none, err
	}
	seed, err := shm.AttachSeed(fds[shm.WorkerSeed])
	if err != nil {
		return nil, none, err
	}
	for _, s := range []*shm.Segment{rec.Segment, slot} {
		if s.Geometry() != view.Geometry() {
			return nil, none, fmt.Errorf("geometry %+v, the engine's is %+v: %w", s.Geometry(), view.Geometry(), shm.ErrCorrupt)
		}
	}
	plans, err := shm.AttachPlans(fds[shm.WorkerPlans])
	if err != nil {
		return nil, none, err
	}
	l := newLoop(view, rec, slot, snap, plans)
	l.maker.samples.store, l.maker.own = samples.In(folder), own
	return l, seed, l.open(plans.Current()) // most likely the seed is of this one
}

// begin waits for the seed and for leave to start, and takes up the state.
func (l *loop) begin(seed shm.SeedReader) error {
	defer seed.Close()
	l.audio.Touch()
	for deadline := time.Now().Add(seedWait); ; {
		bell := l.view.Bell()
		if l.cmds.Started() {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("slot %d: no leave to start within %v", l.slot, seedWait)
		}
		l.view.Wait(bell, time.Millisecond)
	}
	st, ok, err := seed.Load()
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("slot %d: started without a seed: %w", l.slot, shm.ErrCorrupt)
	}
	return l.take(st)
}
