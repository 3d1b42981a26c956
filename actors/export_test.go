package actors

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/supervise"
)

// Panic has an actor panic, and returns once it has: one of the supervisor's children by name, ""
// for the supervisor itself.
func Panic(t *testing.T, e *Engine, name string) {
	t.Helper()
	pid := e.tree.Load()
	if name != "" {
		pid = supervise.ChildPID(pid, name)
	}
	failed := make(chan struct{}, 1)
	sub := e.system.EventStream.Subscribe(func(ev any) {
		if f, ok := ev.(*actor.SupervisorEvent); ok && f.Child.Id == pid.Id {
			select {
			case failed <- struct{}{}:
			default:
			}
		}
	})
	defer e.system.EventStream.Unsubscribe(sub)
	e.system.Root.Send(pid, fail{"a test's panic"})
	select {
	case <-failed:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s has not panicked", pid.Id)
	}
}

// StepDown has the engine give up its patch, as when it has crashed every worker again and again.
func StepDown(e *Engine, why string) { e.resources.Set.Abandon(why) }
