package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protocluster "github.com/asynkron/protoactor-go/cluster"
	testprovider "github.com/asynkron/protoactor-go/cluster/clusterproviders/test"
	"github.com/asynkron/protoactor-go/cluster/identitylookup/disthash"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/remote"
)

// member is a member of a cluster in this process.
func member(t *testing.T, agent *testprovider.InMemAgent) (*protocluster.Cluster, *remote.Interceptor) {
	t.Helper()
	if testing.Short() {
		t.Skip("a cluster takes 7 s")
	}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	interceptor := remote.NewInterceptor(system, remote.Operate)
	config := protocluster.Configure("tests", testprovider.NewTestProvider(agent, testprovider.WithTestProviderRefreshTtl(200*time.Millisecond)), disthash.New(),
		protoremote.Configure("127.0.0.1", 0, protoremote.WithServerOptions(interceptor.ServerOptions()...), protoremote.WithEndpointWriterQueueSize(64),
			protoremote.WithDialOptions(append(interceptor.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)),
		protocluster.WithKinds(Kind()))
	c := protocluster.New(system, config)
	c.StartMember()
	return c, interceptor
}

// Every member reaches the engines of all members by their names, wherever the grains are. Requests
// to an engine that has left are refused.
func TestCluster(t *testing.T) {
	agent := testprovider.NewInMemAgent()
	var members []*protocluster.Cluster
	var stops []func()
	for i := range 3 {
		c, interceptor := member(t, agent)
		defer c.Remote.Shutdown(false)
		name := fmt.Sprint("engine", i)
		pid, err := c.ActorSystem.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			switch request, answer := actors.RequestOf(ctx); request.(type) {
			case actors.GetStatus:
				answer(actors.Status{BootID: name})
			case actors.Flip:
				answer(actors.Done{})
			}
		}), name)
		if err != nil {
			t.Fatal(err)
		}
		endpoint, err := remote.Open(c.ActorSystem, pid, remote.EndpointOptions{Interceptor: interceptor})
		if err != nil {
			t.Fatal(err)
		}
		members, stops = append(members, c), append(stops, Announce(c, name, endpoint))
	}
	ask := func(c *protocluster.Cluster, name string, r *pb.Request) string {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		reply, err := Ask(ctx, c, name, r)
		switch {
		case err != nil:
			return err.Error()
		case reply.GetRefused() != nil:
			return reply.GetRefused().Code.String()
		case reply.GetStatus() != nil:
			return reply.GetStatus().BootId
		}
		return "done"
	}
	until := func(want string, c *protocluster.Cluster, name string) {
		t.Helper()
		got := ""
		for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
			if got = ask(c, name, &pb.Request{Do: &pb.Request_GetStatus{GetStatus: &pb.GetStatus{}}}); got == want {
				return
			}
		}
		t.Errorf("%s: %s, want %s", name, got, want)
	}
	for _, c := range members {
		for i := range members {
			name := fmt.Sprint("engine", i)
			until(name, c, name)
			if got := ask(c, name, &pb.Request{Do: &pb.Request_Flip{Flip: &pb.Flip{}}}); got != "done" {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	stops[2]()
	until("UNAVAILABLE", members[0], "engine2")
	stops[0]()
	stops[1]()
	brief, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	<-brief.Done()
	if _, err := Ask(brief, members[0], "engine1", &pb.Request{}); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("without time: %v", err)
	}
}
