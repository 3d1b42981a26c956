// Package worker is the worker process. It renders a dsp/stream into its own ring, in lockstep with
// the other workers, by the rules of the failover protocol. It is the only package of dsp that
// knows shared memory and other processes.
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

// heapLimit bounds the heap. The collector is off, and starts only if something leaks.
const heapLimit = 256 << 20

// The kernel ends a worker if a real-time thread runs this long without sleeping. The watchdog is
// faster in the render thread; these limits hold for all threads.
const (
	runSoft = 300 * time.Millisecond // SIGXCPU: the worker records the cause
	runHard = 350 * time.Millisecond // SIGKILL
)

// startTimeout is how long a worker waits for its initial state.
const startTimeout = 30 * time.Second

// Main runs the worker process and returns its exit code, when the process should end.
func Main() int { return With()() }

// With returns Main for a program with modules of its own. They must equal those in the engine's
// Config.
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
	l, initial, err := attach(fds, order.Samples, own)
	if err != nil {
		return err
	}
	go holdLiveness(l.cmds, l.rec, watchdog{thread: sys.ThreadID(), limit: l.blockLimit()})
	if err := l.begin(initial); err != nil {
		return err
	}
	debug.SetPanicOnFault(true) // a fault of a module becomes a panic of that module
	l.schedule = schedule
	go endWhenOrphaned(l.view)
	go endOnSignal(l.rec)
	l.builder.started = true
	go l.builder.run()
	return l.run()
}

// prepare sets up the process before it allocates much. It ignores refusals: the engine has told
// the user. The collector is off from the start, so no sweep is left when rendering begins.
func prepare() {
	sys.SetName("chronus-worker")
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapLimit)
	_ = sys.ProcessNice(sys.NiceEngine)
	_ = sys.QuietRuntime()
	_ = sys.LimitRuntime(runSoft, runHard)
	_ = sys.LockPages()
}

// endOnSignal ends the process at once on signals for which Go would print all stacks. Sent from
// outside, they tell nothing about this program; its own faults are panics and do not come here.
// SIGXCPU means that a thread has not slept for runSoft, which is recorded first.
func endOnSignal(rec shm.Recorder) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGABRT, syscall.SIGQUIT, syscall.SIGXCPU)
	sig := (<-c).(syscall.Signal)
	if sig == syscall.SIGXCPU {
		rec.RecordCause(shm.CauseEndless, 0)
	}
	os.Exit(128 + int(sig))
}

// endWhenOrphaned ends the process if no engine lives for the grace time.
func endWhenOrphaned(v shm.View) {
	err := v.AwaitOrphan(v.Grace())
	slog.Info("worker ends: no engine", "pid", os.Getpid(), "error", err)
	os.Exit(0)
}

// receiveOrder waits until the engine assigns a slot, and returns the order and the descriptors.
// fds is nil if the engine has ended before.
func receiveOrder() (order wire.WorkerOrder, fds []int, err error) {
	s := sys.SocketFromFD(wire.WorkerSocket)
	defer s.Close()
	order, fds, err = wire.Receive[wire.WorkerOrder](s)
	if errors.Is(err, io.EOF) {
		return order, nil, nil
	}
	if err == nil && len(fds) != wire.WorkerFDs {
		err = fmt.Errorf("worker order: %d descriptors, want %d: %w", len(fds), wire.WorkerFDs, shm.ErrCorrupt)
	}
	return order, fds, err
}

// watchdogPoll is the interval in which the watchdog looks at the render thread.
const watchdogPoll = 5 * time.Millisecond

// holdLiveness keeps the thread whose end tells the engine that the process has ended. It has the
// highest priority in the process, so that it ends first. For the same reason it can end a module's
// endless loop. Endless real-time threads on every core would keep out all others.
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

// attach maps what the engine handed over, and compiles the patch. Its samples are in folder, and
// it may use the modules in own.
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
	initial, err := shm.AttachInitialState(fds[wire.WorkerInitialState])
	if err != nil {
		return nil, none, err
	}
	for _, s := range []*shm.Segment{rec.Segment, slot} {
		if s.Geometry() != view.Geometry() {
			return nil, none, fmt.Errorf("segment geometry %+v, want the engine's %+v: %w",
				s.Geometry(), view.Geometry(), shm.ErrCorrupt)
		}
	}
	plans, err := shm.AttachPlans(fds[wire.WorkerPlans])
	if err != nil {
		return nil, none, err
	}
	l := newLoop(view, rec, slot, snap, plans)
	l.builder.samples.store, l.builder.own = samples.In(folder), own
	return l, initial, l.open(plans.Current()) // most likely the plan of the initial state
}

// begin waits for the initial state and the order to start, then restores the state.
func (l *loop) begin(initial shm.InitialStateReader) error {
	defer initial.Close()
	l.audio.Touch()
	for deadline := time.Now().Add(startTimeout); ; {
		wakeSeq := l.view.WakeSeq()
		if l.cmds.Started() {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("slot %d: not started within %v", l.slot, startTimeout)
		}
		l.view.Wait(wakeSeq, time.Millisecond)
	}
	st, ok, err := initial.Load()
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("slot %d: started without an initial state: %w", l.slot, shm.ErrCorrupt)
	}
	return l.restore(st)
}
