package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
)

// conductor numbers commands and puts them before every worker: the one place where their
// order is made.
type conductor struct{ rig *rig }

// Receive implements actor.Actor.
func (c *conductor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case batches:
		c.playAll(m)
	case commandlog.Batch:
		c.play(m)
	case fail:
		panic(m.reason)
	}
}
