package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/frontend"
)

// ingress serves the OSC socket, in a goroutine of its own. The socket stays open over restarts.
type ingress struct {
	frontend *frontend.Frontend
	engine   frontend.Engine
	cancel   context.CancelFunc
	ended    chan struct{}
}

// socketFailed tells an ingress why its goroutine has ended.
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

// leave ends the serving goroutine.
func (i *ingress) leave() {
	if i.cancel != nil {
		i.cancel()
		<-i.ended
		i.cancel = nil
	}
}

func (i *ingress) serve(ctx actor.Context) {
	serving, cancel := context.WithCancel(context.Background())
	i.cancel, i.ended = cancel, make(chan struct{})
	root, self, ended := ctx.ActorSystem().Root, ctx.Self(), i.ended
	go func() {
		defer close(ended)
		if err := i.frontend.Serve(serving, i.engine); err != nil {
			root.Send(self, socketFailed{err.Error()})
		}
	}()
}
