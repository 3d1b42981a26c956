package actors

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"
)

// Stop fades the sound out, ends every process, and removes the runtime files. It returns when
// all is gone.
func (e *Engine) Stop() { e.stop.Do(e.halt) }

func (e *Engine) halt() {
	if e.saver != nil {
		e.set.AwaitCheckpoint(3 * e.timeouts.Snapshot)
		e.saver.Stop()
	}
	e.set.Fade()
	e.gone.Store(true)
	if e.pid != nil {
		if err := e.system.Root.StopFuture(e.pid).Wait(); err != nil && !errors.Is(err, actor.ErrDeadLetter) {
			e.cfg.Logger.Warn("the actors did not end", "error", err)
		}
	}
	e.set.Terminate()
	if e.watcher != nil {
		e.watcher.Stop()
	}
	if e.host.own {
		e.system.Shutdown()
	}
	e.dismantle()
	e.host.clean()
}
