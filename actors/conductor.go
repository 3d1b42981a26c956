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
		var err error
		for i, command := range m.commands {
			answer := m.answer
			if i < len(m.commands)-1 {
				answer = nil // one message, one answer
			}
			if _, err = c.rig.broadcast(command, m.plan, answer); err != nil {
				break
			}
		}
		if m.answer != nil {
			m.answer(err)
		}
	case fail:
		panic(m.reason)
	}
}
