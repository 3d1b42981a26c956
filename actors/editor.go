package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/drafts"
)

// editor carries out patch commands. It is an actor of its own since it waits for the workers.
type editor struct{ drafts *drafts.Store }

// Receive implements actor.Actor.
func (e *editor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case drafts.Request:
		e.drafts.Serve(m)
	case later:
		m.do()
	case fail:
		panic(m.reason)
	}
}
