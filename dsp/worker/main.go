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
	"github.com/music-chronus/chronus/shm/wire"
)

// heapLimit bounds the heap: the collector is off, and comes on only if something leaks.
const heapLimit = 256 << 20

// The kernel ends a worker with a real-time thread that runs for so long without sleeping. The life
// thread is quicker where it can tell why; these limits hold for any other loop.
const (
	runSoft = 300 * time.Millisecond // SIGXCPU: the worker puts the cause on record
	runHard = 350 * time.Millisecond // SIGKILL
)

// startTimeout is how long a worker waits for its state before it gives up.
const startTimeout = 30 * time.Second

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
	runtime.LockOSThread() // this thread renders
	prepare()
	order, fds, err := receiveOrder()
	if err != nil || fds == nil {
		return err
	}
	l, seed, err := attach(fds, order.Samples, own)
	if err != nil {
		return err
	}
	go holdLiveness(l.cmds, l.rec, watchdog{thread: sys.ThreadID(), limit: l.blockLimit()})
	if err := l.begin(seed); err != nil {
		return err
	}
	debug.SetPanicOnFault(true) // a module's wild pointer is that module's panic
	l.schedule = schedule
	go endWhenOrphaned(l.view)
	go endOnSignal(l.rec)
	l.builder.started = true
	go l.builder.run()
	return l.run()
}

// prepare sets up the process before it allocates much. Each refusal is bearable: the engine has
// told the user. The collector is off from the start, so that no sweep is left when rendering begins.
func prepare() {
	sys.SetName("chronus-worker")
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapLimit)
	_ = sys.ProcessNice(sys.NiceEngine)
	_ = sys.QuietRuntime()
	_ = sys.LimitRuntime(runSoft, runHard)
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
		rec.RecordCause(shm.CauseEndless, 0)
	}
	os.Exit(128 + int(sig))
}

// endWhenOrphaned ends the process when no engine has come back for it within the grace time.
func endWhenOrphaned(v shm.View) {
	err := v.AwaitOrphan(v.Grace())
	slog.Info("worker ends: no engine", "pid", os.Getpid(), "error", err)
	os.Exit(0)
}

// receiveOrder waits until the engine has a place for this process, which may have been started ahead of
// need, and returns the order and the descriptors. None: the engine is gone, and this process has nothing to play on for.
func receiveOrder() (order wire.WorkerOrder, fds []int, err error) {
	s := sys.SocketFromFD(wire.WorkerSocket)
	defer s.Close()
	order, fds, err = wire.Receive[wire.WorkerOrder](s)
	if errors.Is(err, io.EOF) {
		return order, nil, nil
	}
	if err == nil && len(fds) != wire.WorkerFDs {
		err = fmt.Errorf("%d descriptors came with the place, not %d: %w", len(fds), wire.WorkerFDs, shm.ErrCorrupt)
	}
	return order, fds, err
}

// watchdogPoll is how often the life thread looks at the render thread.
const watchdogPoll = 5 * time.Millisecond

// holdLiveness keeps the thread whose end tells the engine of the process's. It has the highest priority
// of the process's threads, so that it is the first to end, and so that it can end a module's endless
// loop: such loops, at real-time priority on every core, would leave no core to any other thread.
func holdLiveness(c shm.CommandReader, rec shm.Recorder, w watchdog) {
	runtime.LockOSThread()
	sys.SetName("chronus-life")
	_ = sys.ThreadFIFO(sys.PriorityWatch)
	sys.HoldLivenessWord(c.Liveness())
	for {
		sys.Sleep(watchdogPoll)
		used, err := sys.ThreadCPUTime(w.thread)
		if err == nil && w.endless(rec.OwnStatus(), used) {
			rec.RecordCause(shm.CauseEndless, 0)
			os.Exit(ExitEndless)
		}
	}
}

// attach maps what the engine handed over, and compiles the patch, whose samples are in that folder, and which may have own modules.
func attach(fds []int, folder string, own []*dsp.Desc) (*loop, shm.InitialStateReader, error) {
	none := shm.InitialStateReader{}
	view, err := shm.AttachView(fds[wire.WorkerEngine])
	if err != nil {
		return nil, none, err
	}
	slot, err := shm.AttachSlot(fds[wire.WorkerSlot], true)
	if err != nil {
		return nil, none, err
	}
	number, gen := slot.Slot()
	rec, err := shm.AttachRecorder(fds[wire.WorkerJournal], number, gen)
	if err != nil {
		return nil, none, err
	}
	snap, err := shm.AttachSnapshot(fds[wire.WorkerSnapshot])
	if err != nil {
		return nil, none, err
	}
	seed, err := shm.AttachInitialState(fds[wire.WorkerInitialState])
	if err != nil {
		return nil, none, err
	}
	for _, s := range []*shm.Segment{rec.Segment, slot} {
		if s.Geometry() != view.Geometry() {
			return nil, none, fmt.Errorf("geometry %+v, the engine's is %+v: %w", s.Geometry(), view.Geometry(), shm.ErrCorrupt)
		}
	}
	plans, err := shm.AttachPlans(fds[wire.WorkerPlans])
	if err != nil {
		return nil, none, err
	}
	l := newLoop(view, rec, slot, snap, plans)
	l.builder.samples.store, l.builder.own = samples.In(folder), own
	return l, seed, l.open(plans.Current()) // most likely the seed is of this one
}

// begin waits for the seed and for leave to start, and takes up the state.
func (l *loop) begin(seed shm.InitialStateReader) error {
	defer seed.Close()
	l.audio.Touch()
	for deadline := time.Now().Add(startTimeout); ; {
		bell := l.view.WakeSeq()
		if l.cmds.Started() {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("slot %d: no leave to start within %v", l.slot, startTimeout)
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
	return l.restore(st)
}
