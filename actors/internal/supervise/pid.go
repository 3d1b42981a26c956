package supervise

import (
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

// ChildPID returns the address of a child, which stays the same over restarts.
func ChildPID(parent *actor.PID, name string) *actor.PID {
	return actor.NewPID(parent.Address, parent.Id+"/"+name)
}

// ChildName returns the name of a child. ours is false if child is not below parent.
func ChildName(parent, child *actor.PID) (name string, ours bool) {
	return strings.CutPrefix(child.Id, parent.Id+"/")
}

// ParentPID returns the address of an actor's parent.
func ParentPID(child *actor.PID) *actor.PID {
	return actor.NewPID(child.Address, child.Id[:strings.LastIndexByte(child.Id, '/')])
}
