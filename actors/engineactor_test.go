package actors_test

import (
	"context"
	"errors"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors"
)

// allForOne is a parent that has an engine and another child, and restarts both when one fails.
func allForOne(t *testing.T, system *actor.ActorSystem) (e *actors.Engine, fails *actor.PID) {
	t.Helper()
	started := make(chan error, 1)
	strategy := actor.NewAllForOneStrategy(1000, time.Minute, func(any) actor.Directive { return actor.RestartDirective })
	parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			fails = ctx.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if ctx.Message() == "fail" {
					panic("a test's panic")
				}
			}))
			var err error
			e, err = actors.Embed(context.Background(), actors.Host{System: system, Parent: ctx}, actors.Config{Backend: "null", Lead: testLead})
			started <- err
		}
	}, actor.WithSupervisor(strategy)))
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	t.Cleanup(func() { system.Root.Stop(parent) })
	return e, fails
}

// A strategy of the program's that restarts the engine's actor with others that failed does nothing
// to the sound, nor to who is subscribed; and every request is answered, those that come meanwhile
// too.
func TestRestartedWithOthers(t *testing.T) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	e, fails := allForOne(t, system)
	statuses := make(chan actors.Status, 1000)
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Request(e.PID(), actors.Subscribe{Every: 20 * time.Millisecond})
		case actors.Status:
			select {
			case statuses <- m:
			default:
			}
		}
	}))
	before, h, done, lost := until(t, e, "redundant", redundant), e.Handle(), 0, 0
	taped(t, e, func() {
		if err := h.Gate(t.Context(), "adsr1", 1); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			until(t, e, "has something to tell", func(st actors.Status) bool { return len(st.Events) > 0 })
			system.Root.Send(fails, "fail")
			for again := false; !again; {
				st, err := h.Status(t.Context())
				again = err == nil && len(st.Events) == 0 // the monitor is another
				for _, err := range []error{err, h.Set(t.Context(), "sine1", "freq", 330)} {
					var r actors.Refused
					switch {
					case err == nil:
						done++
					case errors.As(err, &r) && r.Code == actors.RefusedUnavailable:
						lost++
					default:
						t.Fatal(err)
					}
				}
			}
			if err := h.Flip(t.Context()); err != nil { // an event for the next
				t.Fatal(err)
			}
		}
		for len(statuses) > 0 {
			<-statuses
		}
		<-statuses
	})
	after := until(t, e, "redundant", redundant)
	for i := range after.Workers {
		if after.Workers[i].PID != before.Workers[i].PID {
			t.Errorf("worker %d was lost", i)
		}
	}
	if after.AudioPID != before.AudioPID || after.Concealed != before.Concealed || lost > done {
		t.Errorf("audio process %d, was %d; %d blocks concealed; of requests %d done, %d lost", after.AudioPID, before.AudioPID, after.Concealed-before.Concealed, done, lost)
	}
	if _, err := e.Kill(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, e, "the next is ready", func(st actors.Status) bool { return st.Active.Epoch > after.Active.Epoch && st.Redundant })
}
