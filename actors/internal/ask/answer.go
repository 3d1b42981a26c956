package ask

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// Respond answers the sender of the present message, if it has one.
func Respond(ctx actor.Context, m any) {
	if ctx.Sender() != nil {
		ctx.Respond(m)
	}
}

// AnswerTo returns a function that answers the sender of the present message. Any goroutine may
// call it; the first answer counts.
func AnswerTo(ctx actor.Context) func(any) {
	root, to := ctx.ActorSystem().Root, ctx.Sender()
	if to == nil {
		return func(any) {}
	}
	return Once(func(m any) { root.Send(to, m) })
}

// Once passes on the first answer. A second one comes if a command proves to be poison.
func Once(answer func(any)) func(any) {
	var o sync.Once
	return func(m any) { o.Do(func() { answer(m) }) }
}
