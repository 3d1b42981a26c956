package remote

import (
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"

	"github.com/music-chronus/chronus/actors/pb"
)

// SilentAfter is how long nothing may be heard of an engine that is followed before it counts as lost.
const SilentAfter = 2 * time.Second

const (
	renewEvery = time.Second
	lookEvery  = 250 * time.Millisecond
)

// Target is an engine to follow.
type Target struct {
	Address string        // host:port
	Name    string        // of its actor; "" if it was given none
	Token   string        // for its door, if it takes tokens
	Every   time.Duration // between reports; 0: 250 ms
}

// News is what is heard of an engine that is followed: just one of these.
type News struct {
	Report  *pb.Report  // it lives
	Lost    string      // it cannot be heard any more, and why; Reports follow should it come back
	Refused *pb.Refused // it will not be watched; it is asked again
}

// Follow tells what is heard of an engine until the returned function is called: tell is called by one goroutine at a time, and must not wait.
// It begins with Lost if nothing is heard at all. An engine that is killed is told at once, one that hangs or is cut off after SilentAfter.
func (n *Node) Follow(t Target, tell func(News)) (stop func()) {
	if t.Every == 0 {
		t.Every = stdEvery
	}
	pid := n.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &following{node: n, target: t, tell: tell} }))
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

// lost passes the end of a connection on to those who follow an engine there.
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
	look         struct{}
)

// following keeps a watch on one engine alive.
type following struct {
	node    *Node
	target  Target
	tell    func(News)
	heard   time.Time // the last report
	renewed time.Time // when the watch was last asked for
	boot    string
	number  uint64 // of the last report
	event   uint64 // the last event seen
	away    bool   // it has been told to be lost
	ended   bool
	over    bool // this following has been stopped
}

// Receive implements actor.Actor.
func (f *following) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		f.heard = time.Now()
		f.node.sentry.origins.expect(ctx.Self().Id, f.target.Address)
		f.renew(ctx)
		f.tick(ctx)
	case *actor.Stopping, *actor.Restarting:
		f.over = true
		f.node.sentry.origins.forget(ctx.Self().Id)
		if !f.away {
			ctx.Request(EndpointPID(f.target.Address, f.target.Name), f.request(&pb.Request{Do: &pb.Request_Unwatch{Unwatch: &pb.Unwatch{}}}))
		}
	case *pb.Report:
		f.report(m)
	case *pb.Reply:
		if r := m.GetRefused(); r != nil {
			f.tell(News{Refused: r})
		}
	case disconnected:
		f.lose("the connection has ended")
		f.renewed = time.Now() // the next second's renewal connects anew
	case *actor.DeadLetterResponse:
		f.lose("nothing answers there")
	case look:
		f.look(ctx)
	}
}

func (f *following) tick(ctx actor.Context) {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	time.AfterFunc(lookEvery, func() { root.Send(self, look{}) })
}

// look renews the watch in time, and sees how long nothing has been heard.
func (f *following) look(ctx actor.Context) {
	if f.over {
		return
	}
	now := time.Now()
	if silent := now.Sub(f.heard); silent > max(SilentAfter, 4*f.target.Every) {
		f.lose(fmt.Sprintf("nothing has been heard of it for %v", silent.Round(100*time.Millisecond)))
	}
	if now.Sub(f.renewed) >= renewEvery-lookEvery/2 {
		f.renew(ctx)
	}
	f.tick(ctx)
}

func (f *following) request(r *pb.Request) *pb.Request {
	r.Version, r.Token = pb.Version, f.target.Token
	return r
}

// renew asks for the watch, or for its going on.
func (f *following) renew(ctx actor.Context) {
	f.renewed = time.Now()
	ctx.Request(EndpointPID(f.target.Address, f.target.Name), f.request(&pb.Request{Do: &pb.Request_Watch{Watch: &pb.Watch{
		EveryMs: uint32(f.target.Every / time.Millisecond), LeaseMs: uint32(stdLease / time.Millisecond), AfterEvent: f.event,
	}}}))
}

// report takes a report, unless it is one from before a loss that comes late, out of order.
func (f *following) report(m *pb.Report) {
	boot := m.GetStatus().GetBootId()
	if boot != "" && boot != f.boot {
		f.boot, f.number, f.event, f.ended = boot, 0, 0, false
	}
	f.heard, f.number = time.Now(), m.Number
	f.event = max(f.event, m.LastEvent)
	if m.Ended {
		f.ended = true
		f.lose("it has been stopped")
		return
	}
	f.away = false
	f.tell(News{Report: m})
}

func (f *following) lose(why string) {
	if f.away {
		return
	}
	f.away = true
	f.tell(News{Lost: why})
}
