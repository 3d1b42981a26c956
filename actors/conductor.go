package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/actors/internal/replica"
)

// conductor enters commands: their order is the order of its mailbox.
type conductor struct{ set *replica.Set }

// Receive implements actor.Actor.
func (c *conductor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case frontend.Batches:
		m.Enter(c.set.EnterBatch)
	case commandlog.Batch:
		c.set.EnterBatch(m)
	case fail:
		panic(m.reason)
	}
}
