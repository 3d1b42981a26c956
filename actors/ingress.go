package actors

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/osc/server"
)

// ingress serves the OSC socket: it decodes, resolves, and sends on. It never waits for an answer.
type ingress struct {
	desk               *desk
	conductor, monitor *actor.PID
	editor             *actor.PID
	cancel             context.CancelFunc
	ended              chan struct{}
}

// socketFailed is what the serving goroutine reports before it ends.
type socketFailed struct{ reason string }

// Receive implements actor.Actor.
func (i *ingress) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		i.serve(ctx)
	case *actor.Restarting, *actor.Stopping:
		i.leave()
	case socketFailed:
		panic(m.reason)
	case fail:
		panic(m.reason)
	}
}

// leave ends the serving goroutine; the socket stays open for the next incarnation.
func (i *ingress) leave() {
	if i.cancel != nil {
		i.cancel()
		<-i.ended
		i.cancel = nil
	}
}

func (i *ingress) serve(ctx actor.Context) {
	if i.desk.server == nil {
		return
	}
	serving, cancel := context.WithCancel(context.Background())
	i.cancel, i.ended = cancel, make(chan struct{})
	root, self, ended := ctx.ActorSystem().Root, ctx.Self(), i.ended
	go func() {
		defer close(ended)
		// A panic in a goroutine would end the engine; here it ends this incarnation.
		defer func() {
			if r := recover(); r != nil {
				root.Send(self, socketFailed{fmt.Sprint("panic while serving: ", r)})
			}
		}()
		err := i.desk.server.Serve(serving, func() server.Handler {
			return &intake{desk: i.desk, root: root, conductor: i.conductor, monitor: i.monitor, editor: i.editor}
		})
		if err != nil {
			root.Send(self, socketFailed{err.Error()})
		}
	}()
}

// statusArgs are the arguments of /engine/status.reply: active slot, epoch, workers ready,
// replicas, clock, played, rescued, concealed, flips, xruns, failovers.
func statusArgs(st Status) []any {
	ready := 0
	for _, w := range st.Workers {
		if w.Ready {
			ready++
		}
	}
	return []any{
		st.Active.Slot, st.Active.Epoch, ready, len(st.Workers), st.Clock,
		st.Played, st.Rescued, st.Concealed, st.Flips, st.Xruns, st.FailoversTotal,
	}
}
