// Package ask sends a request to an actor and waits for the answer.
package ask

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// ErrEnded says that the actor has ended.
var ErrEnded = errors.New("the actor has ended")

// Do sends a request to pid and returns its answer. It waits until ctx ends, and no longer than
// patience, unless that is negative. With watch it also returns when the actor ends: ErrEnded.
func Do(
	ctx context.Context, root *actor.RootContext, pid *actor.PID, request any, patience time.Duration, watch bool,
) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	future := actor.NewFuture(root.ActorSystem(), patience)
	defer context.AfterFunc(ctx, func() { root.Stop(future.PID()) })()
	if watch {
		system(root, pid, &actor.Watch{Watcher: future.PID()})
		defer system(root, pid, &actor.Unwatch{Watcher: future.PID()})
	}
	root.RequestWithCustomSender(pid, request, future.PID())
	answer, err := future.Result()
	_, ended := answer.(*actor.Terminated)
	switch {
	case ended, errors.Is(err, actor.ErrDeadLetter):
		return nil, ErrEnded
	case errors.Is(err, actor.ErrTimeout):
		return nil, fmt.Errorf("%T: no answer in time: %w", request, context.DeadlineExceeded)
	case err != nil:
		return nil, fmt.Errorf("%T: %w", request, err)
	case answer == nil:
		return nil, fmt.Errorf("%T: canceled before the answer: %w", request, ctx.Err())
	}
	return answer, nil
}

// system sends an actor a system message. After its end the process for dead letters answers.
func system(root *actor.RootContext, pid *actor.PID, m any) {
	to, _ := root.ActorSystem().ProcessRegistry.Get(pid)
	to.SendSystemMessage(pid, m)
}
