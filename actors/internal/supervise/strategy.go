// Package supervise has what an actor tree needs to survive failures: a strategy that never gives
// up, delays between attempts, and requests that outlive a restart.
package supervise

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Forever is a one-for-one supervision strategy that restarts a failed child forever. The first
// failure within Window restarts the child at once. The delay then starts at First and doubles with
// each failure, up to Most.
//
// protoactor's own strategies stop a child silently once its retries are spent. An engine without
// its ingress would then never receive OSC again.
type Forever struct {
	First, Most, Window time.Duration
	// Failed is called for each failure, with the delay before the restart.
	Failed func(child string, reason any, delay time.Duration)
}

// HandleFailure implements actor.SupervisorStrategy.
func (s *Forever) HandleFailure(system *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	stats *actor.RestartStatistics, reason, _ any) {
	recent := stats.NumberOfFailures(s.Window)
	if recent == 0 {
		stats.Reset() // protoactor does not remove old failures
	}
	stats.Fail()
	delay := Delay(s.First, s.Most, recent)
	system.EventStream.Publish(&actor.SupervisorEvent{Child: child, Reason: reason, Directive: actor.RestartDirective})
	s.Failed(child.Id, reason, delay)
	if delay == 0 {
		supervisor.RestartChildren(child)
		return
	}
	time.AfterFunc(delay, func() { supervisor.RestartChildren(child) })
}

// Delay returns the time before the next attempt, after n failures. It is 0 for no failure, then
// first, and doubles with each failure up to most.
func Delay(first, most time.Duration, n int) time.Duration {
	if n <= 0 {
		return 0
	}
	return min(first<<min(n-1, 20), most)
}

// Backoff counts the failures of a process that an actor keeps running. A process that was ready
// before it ended is replaced at once. One that ended earlier is replaced after a delay that
// doubles from First to Most.
type Backoff struct {
	First, Most time.Duration
	failures    int // in a row, of processes that were never ready
}

// Ended returns the delay before the next start. ready tells whether the process that ended was
// ready.
func (b *Backoff) Ended(ready bool) time.Duration {
	if ready {
		b.failures = 0
		return 0
	}
	b.failures++
	return Delay(b.First, b.Most, b.failures)
}
