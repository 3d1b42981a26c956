package actors

import (
	"context"
	"syscall"

	"github.com/music-chronus/chronus/actors/report"
)

// Flip makes another worker active, as a failover would. It is inaudible.
func (e *Engine) Flip() error { return e.resources.Set.Flip() }

// Kill sends sig to the active worker, and records the time, so that the failover is measured from
// the signal and not from its detection. It is refused while not every worker is ready.
func (e *Engine) Kill(sig syscall.Signal) (report.Killed, error) { return e.resources.Set.Kill(sig) }

// Patch makes the engine go on with another patch, and returns once it plays. Nodes that have their
// id and type in both patches keep their state. Changes of cables fade over 10 ms. Only values that
// differ between the two texts are applied. name stands for the patch in messages. requested: a
// later engine is started with this text. With an error, the patch before plays on.
func (e *Engine) Patch(ctx context.Context, name string, text []byte, requested bool) (Commit, error) {
	return e.resources.Patcher.Change(ctx, name, text, requested, nil)
}
