package remote

import (
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"

	"github.com/music-chronus/chronus/actors/pb"
)

// SilentAfter is the time without a report after which a followed engine counts as lost.
const SilentAfter = 2 * time.Second

const (
	renewEvery = time.Second
	checkEvery = 250 * time.Millisecond
)

// Target is an engine to follow.
type Target struct {
	Address string        // host:port
	Name    string        // of its actor; "" if it was given none
	Token   string        // for its endpoint; "": none
	Every   time.Duration // between reports; 0: 250 ms
}

// News is what a node learns about a followed engine. One field is set.
type News struct {
	Report  *pb.Report  // the engine lives
	Lost    string      // why no reports arrive; Reports follow if the engine returns
	Refused *pb.Refused // the engine refuses to be watched; the node keeps asking
}

// Follow calls tell with News of an engine until stop is called. One goroutine at a time calls
// tell, which must not block. A killed engine is reported as Lost at once. An engine that hangs, is
// cut off, or never answers is reported as Lost after SilentAfter.
func (n *Node) Follow(t Target, tell func(News)) (stop func()) {
	if t.Every == 0 {
		t.Every = stdEvery
	}
	pid := n.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &following{node: n, target: t, tell: tell}
	}))
	n.mu.Lock()
	n.follows[t.Address] = append(n.follows[t.Address], pid)
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		n.follows[t.Address] = slices.DeleteFunc(n.follows[t.Address], func(p *actor.PID) bool { return p.Equal(pid) })
		if len(n.follows[t.Address]) == 0 {
			delete(n.follows, t.Address)
		}
		n.mu.Unlock()
		_ = n.system.Root.StopFuture(pid).Wait()
	}
}

// lost tells the followers of engines at an address that the connection ended.
func (n *Node) lost(event any) {
	end, ok := event.(*protoremote.EndpointTerminatedEvent)
	if !ok {
		return
	}
	n.mu.Lock()
	follows := slices.Clone(n.follows[end.Address])
	n.mu.Unlock()
	for _, pid := range follows {
		n.system.Root.Send(pid, disconnected{})
	}
}

type (
	disconnected struct{}
	checkDue     struct{}
)

// following keeps a subscription to one engine alive.
type following struct {
	node    *Node
	target  Target
	tell    func(News)
	heard   time.Time // the last report
	renewed time.Time // the last Watch request
	boot    string
	number  uint64 // of the last report
	event   uint64 // the last event received
	lost    bool   // Lost was reported
	ended   bool
	stopped bool // stop was called
}

// Receive implements actor.Actor.
func (f *following) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		f.heard = time.Now()
		f.node.interceptor.origins.expect(ctx.Self().Id, f.target.Address)
		f.renew(ctx)
		f.tick(ctx)
	case *actor.Stopping, *actor.Restarting:
		f.stopped = true
		f.node.interceptor.origins.forget(ctx.Self().Id)
		if !f.lost {
			f.send(ctx, &pb.Request{Do: &pb.Request_Unwatch{Unwatch: &pb.Unwatch{}}})
		}
	case *pb.Report:
		f.report(m)
	case *pb.Reply:
		if r := m.GetRefused(); r != nil {
			f.tell(News{Refused: r})
		}
	case disconnected:
		f.setLost("connection ended")
		f.renewed = time.Now() // the renewal in a second connects again
	case *actor.DeadLetterResponse:
		f.setLost("no engine answers at this address")
	case checkDue:
		f.check(ctx)
	}
}

func (f *following) tick(ctx actor.Context) {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	time.AfterFunc(checkEvery, func() { root.Send(self, checkDue{}) })
}

// check renews the subscription in time, and detects silence.
func (f *following) check(ctx actor.Context) {
	if f.stopped {
		return
	}
	now := time.Now()
	if silent := now.Sub(f.heard); silent > max(SilentAfter, 4*f.target.Every) {
		f.setLost(fmt.Sprintf("no report for %v", silent.Round(100*time.Millisecond)))
	}
	if now.Sub(f.renewed) >= renewEvery-checkEvery/2 {
		f.renew(ctx)
	}
	f.tick(ctx)
}

func (f *following) send(ctx actor.Context, r *pb.Request) {
	r.Version, r.Token = pb.Version, f.target.Token
	ctx.Request(EndpointPID(f.target.Address, f.target.Name), r)
}

// renew starts or renews the subscription.
func (f *following) renew(ctx actor.Context) {
	f.renewed = time.Now()
	f.send(ctx, &pb.Request{Do: &pb.Request_Watch{Watch: &pb.Watch{
		EveryMs: uint32(f.target.Every / time.Millisecond), LeaseMs: uint32(stdLease / time.Millisecond),
		AfterEvent: f.event,
	}}})
}

// report passes a report on. A new boot restarts the counts of reports and events.
func (f *following) report(m *pb.Report) {
	boot := m.GetStatus().GetBootId()
	if boot != "" && boot != f.boot {
		f.boot, f.number, f.event, f.ended = boot, 0, 0, false
	}
	f.heard, f.number = time.Now(), m.Number
	f.event = max(f.event, m.LastEvent)
	if m.Ended {
		f.ended = true
		f.setLost("engine stopped")
		return
	}
	f.lost = false
	f.tell(News{Report: m})
}

func (f *following) setLost(why string) {
	if f.lost {
		return
	}
	f.lost = true
	f.tell(News{Lost: why})
}
