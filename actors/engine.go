package actors

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/control"
	"github.com/music-chronus/chronus/actors/internal/assemble"
	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/meter"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/patching"
	"github.com/music-chronus/chronus/actors/internal/recorder"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/actors/internal/supervise"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/internal/watcher"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// startWait bounds how long a start may take.
const startWait = 20 * time.Second

// Engine is a running engine: its actors, its processes, its files.
type Engine struct {
	cfg       Config
	dir       *runtimedir.Dir
	set       *replica.Set
	output    *output.Process
	patcher   *patching.Patcher
	meter     *meter.Meter
	processes runtimedir.ProcessList
	timeouts  timing.Timeouts
	frontend  *frontend.Frontend
	load      meter.Load
	watcher   *watcher.Watcher
	control   *control.Server
	host      Host
	system    *actor.ActorSystem
	pid       *actor.PID                // of its own actor
	tree      atomic.Pointer[actor.PID] // of the supervisor
	serving   serving
	gone      atomic.Bool // its actors are ending: nothing is sent to them any more
	bootID    string
	since     time.Time
	warnings  []string
	saved     *statefile.State // by an engine before this one; nil: nothing
	saver     *statefile.Saver

	prepared chan struct{} // closed once set and output are there
	outcome  chan error    // of the start: nil once it plays
	stop     sync.Once
}

// Start starts an engine in an actor system of its own, and returns once it plays. The error says
// in a line what was wrong and what would be right. The caller stops the engine.
func Start(ctx context.Context, cfg Config) (*Engine, error) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler) // the engine says itself what happens, as events
	}))
	return start(ctx, Host{System: system, own: true}, cfg)
}

// start starts an engine in the actor system of host.
func start(ctx context.Context, host Host, cfg Config) (*Engine, error) {
	e := &Engine{cfg: cfg.withDefaults(), since: time.Now(), host: host, system: host.System, outcome: make(chan error, 1), prepared: make(chan struct{}), bootID: assemble.NewBootID(), timeouts: timing.Default()}
	if err := e.prepare(); err != nil {
		e.dismantle()
		return nil, err
	}
	e.raise()
	timer := time.NewTimer(startWait)
	defer timer.Stop()
	var err error
	select {
	case err = <-e.outcome:
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = fmt.Errorf("nothing plays after %v; %s", startWait, strings.Join(e.lastEvents(), "; "))
	}
	if err != nil {
		e.Stop()
		return nil, err
	}
	return e, nil
}

// prepare makes everything that needs no process.
func (e *Engine) prepare() (err error) {
	geo, err := e.cfg.limits().Geometry()
	if err != nil {
		return err
	}
	if err := e.program().Check(); err != nil {
		return err
	}
	if err := e.recall(geo); err != nil {
		return err
	}
	p, err := patch.Parse(e.cfg.PatchName, e.cfg.Patch)
	if err != nil {
		return err
	}
	if err := patch.CheckModules(e.cfg.Modules); err != nil {
		return err
	}
	p.Modules = e.cfg.Modules
	plan, err := patch.Compile(p, int(geo.Rate), int(geo.Block), int(geo.Channels))
	if err != nil {
		return err
	}
	if err = e.lockRuntimeDir(); err != nil {
		return err
	}
	if e.frontend, err = e.newFrontend(plan); err != nil {
		return err
	}
	if err := e.prepareWorkers(geo); err != nil {
		return err
	}
	if e.saved != nil && e.saved.LastGood != "" {
		e.set.SetLastGood([]byte(e.saved.LastGood))
	}
	e.meter = meter.New(plan)
	e.set.Measure(e.meter)
	e.restoreValues()
	if err := e.frontend.Discover(); err != nil {
		return err
	}
	e.warnings = launch.Warnings(e.cfg.Logger)
	e.control, err = control.Serve(e, e.dir.File(runtimedir.ControlSocket), e.cfg.Logger)
	return err
}

// recall reads the saved state of an earlier engine.
func (e *Engine) recall(geo shm.Geometry) (err error) {
	c := &e.cfg
	e.saved, c.Resume, err = statefile.Recall(c.StateFile, c.Resume, geo, c.Samples, c.Modules, c.Logger)
	if err == nil && c.Resume {
		c.Patch, c.PatchName = []byte(e.saved.Patch), e.saved.Name
	}
	return err
}

// raise starts the actors and the watcher.
func (e *Engine) raise() {
	t := &tree{
		set: e.set, output: e.output, emit: e.emit, logger: e.cfg.Logger, root: e.system.Root, frontend: e.frontend,
		refused: e.finishStart, up: make(chan struct{}),
	}
	sample := e.frontend.StartClock(e.cfg.Rate, e.cfg.Block, e.set.Clock)
	if err := e.host.spawn(e, t); err != nil {
		e.finishStart(fmt.Errorf("spawn the engine's actor: %w", err))
		return
	}
	for _, ev := range e.set.News() {
		e.emit(ev)
	}
	e.watcher = watcher.Start(e.set, sample)
	if e.cfg.StateFile != "" {
		e.saver = statefile.StartSaver(e.cfg.StateFile, e.lastGood(), savedState{e.set, e})
	}
}

// finishStart ends the start, with or without an error. Later calls are of no consequence.
func (e *Engine) finishStart(err error) {
	select {
	case e.outcome <- err:
	default:
	}
}

// emit hands an event to the monitor. It only hands on, since it is called with the Set locked, and
// on the watcher's goroutine.
func (e *Engine) emit(ev Event) {
	e.send(monitorName, happened{ev})
}

// send sends to one of the supervisor's children, as long as there is somebody to send to.
func (e *Engine) send(name string, message any) {
	if tree := e.tree.Load(); tree != nil && !e.gone.Load() {
		e.system.Root.Send(supervise.ChildPID(tree, name), message)
	}
}

// Status of the engine now.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	got := make(chan Status, 1)
	answer := func(s Status) {
		select {
		case got <- s:
		default: // it was asked twice
		}
	}
	for {
		if e.gone.Load() {
			return Status{}, replica.ErrStopped
		}
		e.send(monitorName, statusRequest{answer: answer})
		select {
		case s := <-got:
			e.sign(&s)
			return s, nil
		case <-ctx.Done():
			return Status{}, fmt.Errorf("status: %w", ctx.Err())
		case <-time.After(retryStatus): // a monitor that is between two lives loses what it was asked
		}
	}
}

// retryStatus is how long a question may go unanswered before it is put again.
const retryStatus = 200 * time.Millisecond

func (e *Engine) lastEvents() []string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	st, err := e.Status(ctx)
	if err != nil {
		return nil
	}
	return st.Events
}

// Record writes a tape to w until ctx ends. begun is called once every later command will be on it.
func (e *Engine) Record(ctx context.Context, w io.Writer, begun func()) error {
	return recorder.Record(ctx, e.set, w, begun)
}

// AwaitRedundant returns once every replica is ready.
func (e *Engine) AwaitRedundant(ctx context.Context) error {
	for !e.set.Redundant() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not every worker is ready: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// dismantle releases what prepare made, as far as it got.
func (e *Engine) dismantle() {
	if e.control != nil {
		e.control.Close()
	}
	if e.frontend != nil {
		e.frontend.Close()
	}
	if e.set != nil {
		e.set.Close()
	}
	if e.dir != nil {
		e.dir.Release()
	}
}
