// Package cluster lets programs that run a protoactor cluster already ask an engine by its name, wherever in the cluster it is. Nothing else of
// Chronus needs it: engines are followed by actors/remote, not by this.
//
// An engine has a grain of its name. The cluster puts grains where it likes, and moves them; the engine stays, so the grain is but a signpost: it
// is told, every second, by the engine's own member where the engine's door is, and forwards requests there.
//
// What to know of protoactor's cluster, as it is: a member that was frozen or cut off for some seconds is expelled for good and needs a new
// process (its engine plays on, and can still be followed by actors/remote); asking for a grain may hang for seconds while members come or go,
// so that every call here has a deadline of its own; StartMember starts the remote, and panics if one runs, so it comes first, then the engines;
// a client's Shutdown and gossip panic, so a program that asks is a member too. Members trust each other: a request that was forwarded has the
// role of the member that the grain is at, or that of its token.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protocluster "github.com/asynkron/protoactor-go/cluster"

	"github.com/music-chronus/chronus/actors/pb"
)

// KindName is the kind of the engines' grains.
const KindName = "chronus-engine"

// How often an engine's member tells the grain where it is, and how long the grain believes that.
const (
	announceEvery = time.Second
	announceLease = 4 * time.Second
)

// Kind is what every member is to be configured with: cluster.WithKinds(Kind()).
func Kind() *protocluster.Kind {
	return protocluster.NewKind(KindName, actor.PropsFromProducer(func() actor.Actor { return &grain{} }))
}

// grain is an engine's signpost.
type grain struct {
	door  *actor.PID // nil: nobody has said yet
	until time.Time
}

// Receive implements actor.Actor.
func (g *grain) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *pb.Announce:
		g.door, g.until = actor.NewPID(m.Address, m.Id), time.Now().Add(time.Duration(m.LeaseMs)*time.Millisecond)
		if ctx.Sender() != nil {
			ctx.Respond(&pb.Reply{Version: pb.Version, What: &pb.Reply_Done{Done: &pb.Done{}}})
		}
	case *pb.Request:
		if g.door != nil && time.Now().Before(g.until) {
			ctx.Forward(g.door)
			return
		}
		if ctx.Sender() != nil {
			ctx.Respond(&pb.Reply{Version: pb.Version, Id: m.Id, What: &pb.Reply_Refused{Refused: &pb.Refused{
				Code: pb.Refused_UNAVAILABLE, Reason: "no engine of that name has said for some seconds that it is in the cluster",
			}}})
		}
	}
}

// Announce tells the cluster where an engine's door is, as remote.Open returned it, under a name, until the returned function is called. That two engines have one
// name is not found out: the last to tell is asked.
func Announce(c *protocluster.Cluster, name string, door *actor.PID) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		m := &pb.Announce{Address: door.Address, Id: door.Id, LeaseMs: uint32(announceLease / time.Millisecond)}
		for {
			once, end := context.WithTimeout(ctx, announceEvery)
			_, _ = request(once, c, name, m) // in a second it is told again
			end()
			select {
			case <-ctx.Done():
				return
			case <-time.After(announceEvery):
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// Ask sends an engine one request, by its name, and returns what answers it, a refusal too. It is sent once: what is not answered in time may have been
// carried out or not.
func Ask(ctx context.Context, c *protocluster.Cluster, name string, r *pb.Request) (*pb.Reply, error) {
	r.Version = pb.Version
	answer, err := request(ctx, c, name, r)
	if err != nil {
		return nil, fmt.Errorf("engine %s: %w", name, err)
	}
	reply, ok := answer.(*pb.Reply)
	if !ok {
		return nil, fmt.Errorf("engine %s: it answers with a %T", name, answer)
	}
	return reply, nil
}

const stdWait = 5 * time.Second

// request asks the grain of a name. The cluster's own way to do so waits longer than it is told to, and sends again what may have been carried out.
func request(ctx context.Context, c *protocluster.Cluster, name string, m any) (any, error) {
	if _, ok := ctx.Deadline(); !ok {
		limited, cancel := context.WithTimeout(ctx, stdWait)
		defer cancel()
		ctx = limited
	}
	type result struct {
		answer any
		err    error
	}
	got := make(chan result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil { // it looks at members that are just leaving
				got <- result{err: fmt.Errorf("the cluster failed: %v", p)}
			}
		}()
		for ctx.Err() == nil {
			pid := c.Get(name, KindName)
			if pid == nil {
				time.Sleep(50 * time.Millisecond)
				continue
			}
			at, _ := ctx.Deadline()
			wait := max(0, time.Until(at)) // a negative one would be for ever
			answer, err := c.ActorSystem.Root.RequestFuture(pid, m, wait).Result()
			if errors.Is(err, actor.ErrDeadLetter) { // the grain was there: nobody has got the request
				c.PidCache.Remove(name, KindName)
				time.Sleep(50 * time.Millisecond)
				continue
			}
			got <- result{answer, err}
			return
		}
	}()
	select {
	case r := <-got:
		return r.answer, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("the cluster has not answered: %w", ctx.Err())
	}
}
