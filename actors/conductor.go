package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/frontend"
)

// conductor enters commands: their order is the order of its mailbox.
type conductor struct{ rig *rig }

// Receive implements actor.Actor.
func (c *conductor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case frontend.Batches:
		m.Enter(c.rig.enterBatch)
	case commandlog.Batch:
		c.rig.enterBatch(m)
	case fail:
		panic(m.reason)
	}
}
