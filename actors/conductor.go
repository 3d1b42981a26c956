package actors

import (
	"github.com/asynkron/protoactor-go/actor"
)

// conductor numbers commands and puts them before every worker: the one place where their
// order is made.
type conductor struct{ rig *rig }

// Receive implements actor.Actor.
func (c *conductor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case play:
		_, err := c.rig.broadcast(m.command, m.plan, m.answer)
		if m.answer != nil {
			m.answer(err)
		}
	case fail:
		panic(m.reason)
	}
}
