package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/report"
)

// persist is the supervision strategy of the whole tree: one-for-one, with a delay that
// doubles while failures go on, and never giving up. protoactor's own strategies stop a child for good, and
// silently, once its retries are spent; an engine without its ingress would be deaf for ever.
type persist struct {
	first, most, window time.Duration
	emit                func(Event)
}

// treeStrategy restarts at once after a single failure, and at the most after 2 s.
func treeStrategy(emit func(Event)) *persist {
	return &persist{first: 5 * time.Millisecond, most: 2 * time.Second, window: 10 * time.Second, emit: emit}
}

// HandleFailure implements actor.SupervisorStrategy.
func (p *persist) HandleFailure(sys *actor.ActorSystem, sup actor.Supervisor, child *actor.PID, rs *actor.RestartStatistics, reason, _ any) {
	recent := rs.NumberOfFailures(p.window)
	if recent == 0 {
		rs.Reset() // protoactor never forgets failures by itself
	}
	rs.Fail()
	delay := backOff(p.first, p.most, recent)
	sys.EventStream.Publish(&actor.SupervisorEvent{Child: child, Reason: reason, Directive: actor.RestartDirective})
	p.emit(report.ActorFailed{Actor: child.Id, Reason: fmt.Sprint(reason), After: delay})
	if delay == 0 {
		sup.RestartChildren(child)
		return
	}
	time.AfterFunc(delay, func() { sup.RestartChildren(child) })
}

// backOff is the delay before the next try after n failures before this one: none, then first,
// doubling up to most.
func backOff(first, most time.Duration, n int) time.Duration {
	if n <= 0 {
		return 0
	}
	return min(first<<min(n-1, 20), most)
}
