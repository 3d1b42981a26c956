package actors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/control"
	"github.com/music-chronus/chronus/actors/internal/recorder"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/resources"
	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/internal/supervise"
)

// startWait bounds the time that a start takes.
const startWait = 20 * time.Second

// Engine is a running engine: its actors, its processes and its files.
type Engine struct {
	resources *resources.Resources // everything outside the actors
	logger    *slog.Logger
	control   *control.Server
	host      Host
	system    *actor.ActorSystem
	pid       *actor.PID                // the engine's actor
	tree      atomic.Pointer[actor.PID] // the supervisor
	serving   serving
	gone      atomic.Bool // the actors are ending: nothing is sent to them any more
	bootID    string
	since     time.Time

	outcome chan error // of the start: nil once the engine plays
	stop    sync.Once
}

// Start starts an engine in an actor system of its own, and returns once it plays. The error names
// the value that is wrong and a way to correct it. The caller stops the engine.
func Start(ctx context.Context, cfg Config) (*Engine, error) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler) // the engine reports failures of its actors as events
	}))
	return start(ctx, Host{System: system, own: true}, cfg)
}

// start starts an engine in the actor system of host.
func start(ctx context.Context, host Host, cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	e := &Engine{
		logger: cfg.Logger, host: host, system: host.System, bootID: newBootID(), since: time.Now(),
		outcome: make(chan error, 1),
	}
	if err := e.prepare(cfg); err != nil {
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

// prepare makes everything that needs no actor and no process.
func (e *Engine) prepare(cfg Config) (err error) {
	if e.resources, err = resources.New(cfg.resources(), listener{e}); err != nil {
		return err
	}
	if e.control, err = control.Serve(e, e.resources.File(runtimedir.ControlSocket), e.logger); err != nil {
		e.resources.Close()
	}
	return err
}

// raise starts the actors and the watcher.
func (e *Engine) raise() {
	t := &tree{
		set: e.resources.Set, output: e.resources.Output, emit: e.emit, logger: e.logger, root: e.system.Root,
		frontend: e.resources.Frontend, refused: e.finishStart, up: make(chan struct{}),
	}
	e.resources.StartClock()
	if err := e.host.spawn(e, t); err != nil {
		e.finishStart(fmt.Errorf("spawn the engine's actor: %w", err))
		return
	}
	for _, ev := range e.resources.Set.News() {
		e.emit(ev)
	}
	e.resources.Watch()
}

// finishStart ends the start, with or without an error. Later calls have no effect.
func (e *Engine) finishStart(err error) {
	select {
	case e.outcome <- err:
	default:
	}
}

// emit sends an event to the monitor. It does nothing else, since its callers hold the Set's lock
// or run on the watcher's goroutine.
func (e *Engine) emit(ev Event) {
	e.send(monitorName, happened{ev})
}

// send sends a message to one of the supervisor's children while there are any.
func (e *Engine) send(name string, message any) {
	if tree := e.tree.Load(); tree != nil && !e.gone.Load() {
		e.system.Root.Send(supervise.ChildPID(tree, name), message)
	}
}

// Status returns the engine's present state.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	got := make(chan Status, 1)
	answer := func(s Status) {
		select {
		case got <- s:
		default: // the second answer to a repeated request
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
		case <-time.After(retryStatus): // a monitor that restarts loses its requests
		}
	}
}

// retryStatus is the time after which an unanswered status request is repeated.
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

// Record writes a tape to w until ctx ends. It calls begun once every later command will be on the
// tape.
func (e *Engine) Record(ctx context.Context, w io.Writer, begun func()) error {
	return recorder.Record(ctx, e.resources.Set, w, begun)
}

// AwaitRedundant returns once every worker is ready.
func (e *Engine) AwaitRedundant(ctx context.Context) error {
	for !e.resources.Set.Redundant() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not every worker is ready: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// Down returns a channel that is closed when a client of the control socket, such as
// `chronus down`, asks for the engine's end.
func (e *Engine) Down() <-chan struct{} { return e.control.Down() }

// Stop fades the sound out, ends every process, and removes the runtime files. It returns when
// all is gone.
func (e *Engine) Stop() { e.stop.Do(e.halt) }

func (e *Engine) halt() {
	e.resources.Save()
	e.resources.Set.Fade()
	e.gone.Store(true)
	if e.pid != nil {
		if err := e.system.Root.StopFuture(e.pid).Wait(); err != nil && !errors.Is(err, actor.ErrDeadLetter) {
			e.logger.Warn("the actors did not end", "error", err)
		}
	}
	e.resources.Terminate()
	if e.host.own {
		e.system.Shutdown()
	}
	e.control.Close()
	e.resources.Close()
	e.host.clean()
}
