package remote

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/music-chronus/chronus/actors/pb"
)

// marshal returns a message in its wire form.
func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A rejected packet leaves no request counted as waiting. Otherwise the interceptor would stop
// reading from all peers in the end.
func TestRefusedPacketsDoNotWait(t *testing.T) {
	system := actor.NewActorSystem()
	request := marshal(t, &pb.Request{Version: 1, Do: &pb.Request_Flip{Flip: &pb.Flip{}}})
	id := endpointName("e")
	for _, tt := range []struct {
		what   string
		name   string // of the last message's type
		data   []byte
		target int32
		others bool
	}{
		{"an envelope that points nowhere", string(requestType), request, 9, false},
		{"a reply that cannot be read", string(replyType), []byte{0xff}, 0, false},
		{"a program's own message that cannot be read", "remote.ActorPidRequest", []byte{0xff}, 0, true},
		{"the end of nobody", "actor.Terminated", nil, 0, true},
	} {
		s := newInterceptor(system, Watch)
		s.others = tt.others
		s.endpoint(id, true)
		w := &checkedStream{ServerStream: nowhere{}, interceptor: s, role: Watch, from: "a:1"}
		for range maxPending/100 + 1 {
			b := batch(id, string(requestType), request, nil)
			for range 99 {
				b.Envelopes = append(b.Envelopes, &protoremote.MessageEnvelope{MessageData: request})
			}
			b.TypeNames = append(b.TypeNames, tt.name)
			b.Envelopes = append(b.Envelopes, &protoremote.MessageEnvelope{TypeId: 1, Target: tt.target, MessageData: tt.data})
			if err := w.inspect(b); err == nil {
				t.Fatalf("%s was let in", tt.what)
			}
		}
		if n := s.waiting(); n != 0 || s.full() {
			t.Errorf("after %s %d requests wait for ever", tt.what, n)
		}
	}
}

// In a program with messages of its own, only protoactor's messages that watch for an engine's end
// reach the engine. A request is for this node, whatever address it names.
func TestOthersAreKeptFromEngines(t *testing.T) {
	system := actor.NewActorSystem()
	s := NewInterceptor(system, Nobody)
	s.endpoint(endpointName("e"), true)
	watch := marshal(t, &actor.Watch{Watcher: actor.NewPID("a:1", "me")})
	for _, tt := range []struct {
		target, name string
		data         []byte
		passes       bool
	}{
		{"e", "actor.Stop", nil, false}, {"e", "actor.PoisonPill", nil, false}, {"e/tree", "actor.Stop", nil, false},
		{endpointName("e"), "actor.Stop", nil, false}, {"e", "actor.Watch", nil, false}, {"e", "actor.Watch", watch, true},
		{"e", "actor.Unwatch", watch, true}, {"mine", "actor.PoisonPill", nil, true}, {"e2", "actor.Stop", nil, true},
	} {
		w := &checkedStream{ServerStream: nowhere{}, interceptor: s, role: Nobody, from: "a:1"}
		b := batch(tt.target, tt.name, tt.data, nil)
		if err := w.inspect(b); err != nil || len(b.Envelopes) == 1 != tt.passes {
			t.Errorf("%s to %s: let in: %t, %v", tt.name, tt.target, len(b.Envelopes) == 1, err)
		}
	}
	w := &checkedStream{ServerStream: nowhere{}, interceptor: s, role: Nobody, from: "a:1"}
	b := batch(endpointName("f"), string(requestType), marshal(t, &pb.Request{Version: 1, Do: &pb.Request_Flip{Flip: &pb.Flip{}}}), nil)
	b.Targets[0].Address = "b:1"
	if err := w.inspect(b); err != nil || len(b.Envelopes) != 1 {
		t.Fatal(err, b.Envelopes)
	}
	if to := b.Targets[b.Envelopes[0].Target]; to.Address != system.Address() || to.Id != endpointName("f") {
		t.Errorf("it is sent on to %v", to)
	}
}

// Open refuses an interceptor that belongs to no remote: every message would count as the
// program's own.
func TestInterceptorThatDoesNotStand(t *testing.T) {
	system := actor.NewActorSystem()
	s := NewInterceptor(system, Nobody)
	o := EndpointOptions{Interceptor: s}
	if _, err := Open(system, actor.NewPID(system.Address(), "e"), o); err == nil || !strings.Contains(err.Error(), "ServerOptions") {
		t.Error(err)
	}
	s.ServerOptions()
	if _, err := Open(system, actor.NewPID(system.Address(), "e"), o); err != nil {
		t.Error(err)
	}
}

// past is a context whose deadline has passed, but which is not done yet.
type past struct{ context.Context }

// Deadline implements context.Context.
func (past) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

// Ask returns an error at once if its deadline has passed, although no reply comes.
func TestAskTooLate(t *testing.T) {
	n := node(t, Options{})
	if _, err := n.system.Root.SpawnNamed(actor.PropsFromFunc(func(actor.Context) {}), endpointName("mute")); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := n.Ask(past{context.Background()}, n.Address(), "mute", &pb.Request{Do: &pb.Request_GetStatus{}})
		got <- err
	}()
	select {
	case err := <-got:
		if err == nil {
			t.Error("it was answered")
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for ever")
	}
}

// The interceptor closes connections above the limit at once, with TLS and without. A closed
// connection makes room for another.
func TestConnectionsAreBounded(t *testing.T) {
	s := NewInterceptor(actor.NewActorSystem(), Nobody)
	creds := countedCredentials{insecure.NewCredentials(), s}
	var open []net.Conn
	for range maxConns {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { _ = theirs.Close() })
		c, _, err := creds.ServerHandshake(ours)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	ours, theirs := net.Pipe()
	defer theirs.Close()
	if _, _, err := creds.ServerHandshake(ours); err == nil || s.Rejected()[kindConnections] != 1 {
		t.Errorf("%v, %v", err, s.Rejected())
	}
	_ = open[0].Close()
	_ = open[0].Close() // releases its place only once
	if _, _, err := creds.ServerHandshake(ours); err != nil {
		t.Error(err)
	}
	if _, _, err := creds.ServerHandshake(ours); err == nil {
		t.Error("a place was given twice")
	}
}
