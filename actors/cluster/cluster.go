// Package cluster finds an engine by its name in a protoactor cluster, for programs that already
// run one. To follow engines, use actors/remote instead: it needs no cluster.
//
// Each engine has a grain of its name. The cluster chooses the member of a grain and may move it,
// while the engine stays. So the grain only forwards requests: the engine's own member tells the
// grain every second where the engine's endpoint is.
//
// protoactor's cluster has some limits:
//
//   - A member that was frozen or cut off for some seconds is expelled and needs a new process. Its
//     engine plays on, and actors/remote can still follow it.
//   - A request to a grain may block for seconds while members join or leave. Every call here has a
//     deadline.
//   - StartMember starts the remote, and panics if one runs. Call it before the engines start.
//   - A client's Shutdown and gossip panic. A program that asks must be a member too.
//   - Members trust each other: a forwarded request has the role of the grain's member, or of its
//     token.
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

// KindName is the name of the kind of the engines' grains.
const KindName = "chronus-engine"

// The time between announcements of an engine, and how long the grain uses one.
const (
	announceEvery = time.Second
	announceLease = 4 * time.Second
)

// Kind returns the kind that every member must be configured with: cluster.WithKinds(Kind()).
func Kind() *protocluster.Kind {
	return protocluster.NewKind(KindName, actor.PropsFromProducer(func() actor.Actor { return &grain{} }))
}

// grain forwards requests to an engine.
type grain struct {
	endpoint *actor.PID // nil: not announced yet
	until    time.Time
}

// Receive implements actor.Actor.
func (g *grain) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *pb.Announce:
		g.endpoint, g.until = actor.NewPID(m.Address, m.Id), time.Now().Add(time.Duration(m.LeaseMs)*time.Millisecond)
		if ctx.Sender() != nil {
			ctx.Respond(&pb.Reply{Version: pb.Version, What: &pb.Reply_Done{Done: &pb.Done{}}})
		}
	case *pb.Request:
		if g.endpoint != nil && time.Now().Before(g.until) {
			ctx.Forward(g.endpoint)
			return
		}
		if ctx.Sender() != nil {
			ctx.Respond(&pb.Reply{Version: pb.Version, Id: m.Id, What: &pb.Reply_Refused{Refused: &pb.Refused{
				Code: pb.Refused_UNAVAILABLE, Reason: "no engine of that name has announced itself for some seconds",
			}}})
		}
	}
}

// Announce tells the cluster the endpoint of an engine, as remote.Open returned it, under a name,
// until stop is called. Two engines with the same name are not detected: requests go to the last
// that announced itself.
func Announce(c *protocluster.Cluster, name string, endpoint *actor.PID) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		m := &pb.Announce{Address: endpoint.Address, Id: endpoint.Id, LeaseMs: uint32(announceLease / time.Millisecond)}
		for {
			once, end := context.WithTimeout(ctx, announceEvery)
			_, _ = request(once, c, name, m) // repeated in a second
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

// Ask sends one request to the engine of a name, and returns the reply, which may be a Refused. Ask
// sends the request once. Without a reply in time, the engine may have carried out the request or
// not.
func Ask(ctx context.Context, c *protocluster.Cluster, name string, r *pb.Request) (*pb.Reply, error) {
	r.Version = pb.Version
	answer, err := request(ctx, c, name, r)
	if err != nil {
		return nil, fmt.Errorf("engine %s: %w", name, err)
	}
	reply, ok := answer.(*pb.Reply)
	if !ok {
		return nil, fmt.Errorf("engine %s: unknown reply %T", name, answer)
	}
	return reply, nil
}

const stdWait = 5 * time.Second

// request asks the grain of a name. The cluster's own function waits longer than its timeout, and
// repeats requests that may have been carried out.
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
			if p := recover(); p != nil { // the cluster panics on members that are leaving
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
			wait := max(0, time.Until(at)) // a negative timeout would never end
			answer, err := c.ActorSystem.Root.RequestFuture(pid, m, wait).Result()
			if errors.Is(err, actor.ErrDeadLetter) { // the grain has moved; no actor received the request
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
		return nil, fmt.Errorf("no answer of the cluster: %w", ctx.Err())
	}
}
