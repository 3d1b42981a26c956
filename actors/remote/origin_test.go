package remote

import (
	"net"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/pb"
)

// impostor is a peer with a valid certificate for another host than the engine's.
func impostor(t *testing.T, ca *authority, to string) *attacker {
	t.Helper()
	_, client, err := loadTLS(ca.dirFor(t, net.IPv4(127, 0, 0, 9), time.Now().Add(time.Hour), "watch"))
	if err != nil {
		t.Fatal(err)
	}
	return attackBy(t, to, credentials.NewTLS(client))
}

func refusedOf(t *testing.T, n *Node, kind string, before uint64) {
	t.Helper()
	for began := time.Now(); n.Interceptor().Rejected()[kind] == before; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("not counted as %s: %v", kind, n.Interceptor().Rejected())
		}
	}
}

// followed is an engine that a watcher follows, with certificates, and the news of it.
func followed(t *testing.T) (ca *authority, server, watcher *Node, h *heard) {
	t.Helper()
	ca, h = newAuthority(t), &heard{}
	far := time.Now().Add(time.Hour)
	server, watcher = node(t, Options{TLSDir: ca.dir(t, far, "watch")}), node(t, Options{TLSDir: ca.dir(t, far, "watch")})
	opened(t, server, "chronus")
	t.Cleanup(watcher.Follow(Target{Address: server.Address(), Every: 50 * time.Millisecond}, h.tell))
	h.until(t, "a report", lives)
	return ca, server, watcher, h
}

// A peer with the role watch cannot forge news of another engine: no report, no reply, and no dead
// letter. The engine's own news still arrive.
func TestMadeUpReports(t *testing.T) {
	ca, server, watcher, h := followed(t)
	asker := make(chan *actor.PID, 1)
	if _, err := server.system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*pb.Request); ok {
			asker <- ctx.Sender()
		}
	}), endpointName("slow")); err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	go func() {
		asked <- askFor(t, watcher, server.Address(), "slow", &pb.Request{Do: &pb.Request_GetStatus{}})
	}()
	var targets []string
	for began := time.Now(); len(targets) < 2 && time.Since(began) < 10*time.Second; time.Sleep(time.Millisecond) {
		targets = targets[:0]
		o := &watcher.interceptor.origins
		o.mu.Lock()
		for id := range o.from {
			targets = append(targets, id)
		}
		o.mu.Unlock()
	}
	if len(targets) != 2 {
		t.Fatalf("they wait for answers: %v", targets)
	}
	a := impostor(t, ca, watcher.Address())
	a.connect(server.Address())
	for _, m := range []proto.Message{
		&pb.Report{Version: pb.Version, Number: 1, Ended: true, Status: statusOf("chronus", actors.Status{BootID: "made up"})},
		&pb.Reply{Version: pb.Version, What: &pb.Reply_Status{Status: statusOf("chronus", actors.Status{BootID: "made up"})}},
		&actor.DeadLetterResponse{},
	} {
		for _, id := range targets {
			before := watcher.Interceptor().Rejected()["origin"]
			a.send(batch(id, string(m.ProtoReflect().Descriptor().FullName()), marshal(t, m), nil))
			refusedOf(t, watcher, "origin", before)
		}
	}
	server.system.Root.Send(<-asker, done())
	if got := <-asked; got != "Done" {
		t.Errorf("the answer is %s", got)
	}
	for range 3 {
		if n := h.until(t, "news", func(n News) bool { return true }); n.Lost != "" || n.Report.GetStatus().GetBootId() != "boot of chronus" {
			t.Errorf("%+v", n)
		}
	}
}

// A peer cannot send in another's name. Otherwise it could end the other's subscription, or fill
// the other's queue with answers.
func TestMadeUpSender(t *testing.T) {
	ca, server, watcher, _ := followed(t)
	unwatch := marshal(t, &pb.Request{Version: pb.Version, Do: &pb.Request_Unwatch{Unwatch: &pb.Unwatch{}}})
	for _, as := range []string{watcher.Address(), "127.0.0.1:9"} {
		before := server.Interceptor().Rejected()["malformed"]
		a := impostor(t, ca, server.Address())
		a.connect(as)
		a.send(batch(endpointName("chronus"), string(requestType), unwatch, actor.NewPID(as, "me")))
		refusedOf(t, server, "malformed", before)
	}
	before := server.Interceptor().Rejected()
	a := impostor(t, ca, server.Address())
	a.connect("127.0.0.9:9")
	a.send(batch(endpointName("chronus"), string(requestType), unwatch, actor.NewPID("127.0.0.9:9", "me")))
	a.send(&protoremote.MessageBatch{Envelopes: []*protoremote.MessageEnvelope{{Target: 7}}})
	refusedOf(t, server, "malformed", before["malformed"]) // the second, and not the first
	if got := server.Interceptor().Rejected(); got["malformed"] != before["malformed"]+1 {
		t.Errorf("what it says in its own name was refused: %v", got)
	}
}
