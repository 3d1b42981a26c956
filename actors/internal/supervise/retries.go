package supervise

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Retry says that the back-off before a start is over. An actor sends it to itself.
type Retry struct{ number uint64 }

// Retries starts a process again, after a delay if it was never ready.
type Retries struct {
	Backoff
	waiting uint64 // number of the pending Retry
}

// NewRetries returns Retries that wait from 20 ms to 2 s.
func NewRetries() Retries {
	return Retries{Backoff: Backoff{First: 20 * time.Millisecond, Most: 2 * time.Second}}
}

// RetryAfter sends a Retry to the actor after d, and cancels an earlier one.
func (r *Retries) RetryAfter(ctx actor.Context, d time.Duration) {
	r.waiting++
	root, self, m := ctx.ActorSystem().Root, ctx.Self(), Retry{r.waiting}
	time.AfterFunc(d, func() { root.Send(self, m) })
}

// Due reports whether a Retry has not been cancelled.
func (r *Retries) Due(m Retry) bool { return m.number == r.waiting }
