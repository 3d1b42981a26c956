package remote

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/music-chronus/chronus/actors/pb"
)

// Each role can send its requests and no others. The endpoint refuses and counts the others. A
// token raises the role.
func TestRoles(t *testing.T) {
	ca := newAuthority(t)
	far := time.Now().Add(time.Hour)
	dir := ca.dir(t, far, "operate")
	const token = "a token of sixteen"
	if err := os.WriteFile(filepath.Join(dir, TokensFile), []byte("# for the desk\n\nplay "+token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := node(t, Options{TLSDir: dir})
	s, _ := opened(t, server, "chronus")
	requests := []*pb.Request{
		{Do: &pb.Request_GetStatus{}}, {Do: &pb.Request_Watch{}}, {Do: &pb.Request_NoteOn{}}, {Do: &pb.Request_Send{}}, {Do: &pb.Request_Flip{}}, {Do: &pb.Request_NewPatch{}},
	}
	for _, tt := range []struct {
		ous   []string
		token string
		may   int // of these requests
	}{
		{[]string{"watch"}, "", 2}, {[]string{"sales", "play"}, "", 4}, {[]string{"operate"}, "", 6}, {[]string{"watch", "operate"}, "", 6},
		{nil, "", 0}, {[]string{"sales"}, "", 0}, {[]string{"watch"}, token, 4}, {[]string{"watch"}, "another of sixteen", 2}, {[]string{"operate"}, token, 6},
	} {
		client := node(t, Options{TLSDir: ca.dir(t, far, tt.ous...)})
		for i, r := range requests {
			r.Token = tt.token
			got := askFor(t, client, server.Address(), "", r)
			if allowed := !strings.HasPrefix(got, "FORBIDDEN"); allowed != (i < tt.may) {
				t.Errorf("%v with token %q: %T: %s", tt.ous, tt.token, r.Do, got)
			}
		}
	}
	if n := server.Interceptor().Rejected()["role"]; n != 6+6+4+2+2+4 {
		t.Errorf("%d were counted", n)
	}
	if n := len(s.asked); n != 2+4+4+2+4 {
		t.Errorf("%d came to the engine", n)
	}
}

// A peer without a valid certificate cannot connect: with none, an unknown, or an expired one, or
// in plaintext. The failure is counted, and the engine keeps answering.
func TestStrangers(t *testing.T) {
	if testing.Short() {
		t.Skip("waits 3 s")
	}
	ca, other := newAuthority(t), newAuthority(t)
	far := time.Now().Add(time.Hour)
	server := node(t, Options{TLSDir: ca.dir(t, far, "operate")})
	opened(t, server, "chronus")
	for what, o := range map[string]Options{
		"plaintext": {}, "another's": {TLSDir: other.dir(t, far, "operate")}, "over": {TLSDir: ca.dir(t, time.Now().Add(-time.Minute), "operate")},
	} {
		before := server.Interceptor().Rejected()["handshake"]
		client := node(t, o)
		if _, err := client.Ask(ctxFor(t, time.Second), server.Address(), "", &pb.Request{Do: &pb.Request_GetStatus{}}); err == nil {
			t.Errorf("%s came in", what)
		}
		if server.Interceptor().Rejected()["handshake"] == before {
			t.Errorf("%s was not counted", what)
		}
	}
	friend := node(t, Options{TLSDir: ca.dir(t, far, "watch")})
	if got := askFor(t, friend, server.Address(), "", &pb.Request{Do: &pb.Request_GetStatus{}}); got != "Status" {
		t.Error(got)
	}
}

// Listen returns an error that names the way out.
func TestListenRefused(t *testing.T) {
	ca := newAuthority(t)
	broken := func(name, text string, mode os.FileMode) string {
		dir := ca.dir(t, time.Now().Add(time.Hour))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); text != "" && err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	taken := node(t, Options{})
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{Address: "nowhere"}, "host:port"},
		{Options{Address: "127.0.0.1:http"}, "want a number up to 65535"},
		{Options{Address: taken.Address()}, "address already in use"},
		{Options{Address: "0.0.0.0:0"}, "give certificates"},
		{Options{Address: ":0"}, "give certificates"},
		{Options{Address: "127.0.0.1:0", TLSDir: t.TempDir()}, "want a directory with ca.pem"},
		{Options{Address: "127.0.0.1:0", TLSDir: broken(CAFile, "hello", 0o600)}, "no certificate in the file"},
		{Options{Address: "127.0.0.1:0", TLSDir: broken(CAFile, "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", 0o600)}, "certificate 1"},
		{Options{Address: "127.0.0.1:0", TLSDir: broken(CertFile, "hello", 0o600)}, "cert.pem"},
		{Options{Address: "127.0.0.1:0", TLSDir: broken(KeyFile, "", 0o644)}, "chmod 600"},
		{Options{Address: "127.0.0.1:0", TLSDir: broken(TokensFile, "king x", 0o600)}, `line 1: role "king"`},
		{Options{Address: "127.0.0.1:0", TLSDir: broken(TokensFile, "play short", 0o600)}, "at least 16"},
	} {
		n, err := Listen(tt.o)
		if err == nil {
			n.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.o, err, tt.want)
		}
	}
	open := node(t, Options{Address: "0.0.0.0:0", Plain: Watch})
	opened(t, open, "chronus")
	at := strings.Replace(open.Address(), "[::]", "127.0.0.1", 1)
	if got := askFor(t, node(t, Options{}), at, "", &pb.Request{Do: &pb.Request_Flip{}}); !strings.HasPrefix(got, "FORBIDDEN") {
		t.Errorf("in plaintext, asked for: %s", got)
	}
}

// attacker is a peer that violates the remote's protocol.
type attacker struct {
	stream protoremote.Remoting_ReceiveClient
	conn   *grpc.ClientConn
}

func attack(t *testing.T, to string) *attacker {
	t.Helper()
	return attackBy(t, to, insecure.NewCredentials())
}

func attackBy(t *testing.T, to string, by credentials.TransportCredentials) *attacker {
	t.Helper()
	conn, err := grpc.NewClient(to, grpc.WithTransportCredentials(by))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s, err := protoremote.NewRemotingClient(conn).Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &attacker{s, conn}
}

func (a *attacker) connect(address string) {
	_ = a.stream.Send(&protoremote.RemoteMessage{MessageType: &protoremote.RemoteMessage_ConnectRequest{ConnectRequest: &protoremote.ConnectRequest{
		ConnectionType: &protoremote.ConnectRequest_ServerConnection{ServerConnection: &protoremote.ServerConnection{SystemId: "x", Address: address}},
	}}})
}

func (a *attacker) send(b *protoremote.MessageBatch) {
	_ = a.stream.Send(&protoremote.RemoteMessage{MessageType: &protoremote.RemoteMessage_MessageBatch{MessageBatch: b}})
}

// batch returns a packet with one message.
func batch(target, name string, data []byte, sender *actor.PID) *protoremote.MessageBatch {
	b := &protoremote.MessageBatch{
		TypeNames: []string{name}, Targets: []*actor.PID{{Address: "x", Id: target}}, Envelopes: []*protoremote.MessageEnvelope{{MessageData: data}},
	}
	if sender != nil {
		b.Senders, b.Envelopes[0].Sender = []*actor.PID{sender}, 1
	}
	return b
}

// Messages that would stop actors or end the process have no effect. Each kind is counted, and the
// engine keeps answering.
func TestAttacks(t *testing.T) {
	server := node(t, Options{})
	opened(t, server, "chronus")
	friend := node(t, Options{})
	const endpointID = "chronus-endpoint/chronus"
	me := actor.NewPID("127.0.0.1:9", "me")
	request, err := proto.Marshal(&pb.Request{Version: 1, Do: &pb.Request_Flip{Flip: &pb.Flip{}}})
	if err != nil {
		t.Fatal(err)
	}
	pointing := func(e *protoremote.MessageEnvelope) *protoremote.MessageBatch {
		b := batch(endpointID, string(requestType), request, me)
		b.Envelopes[0] = e
		return b
	}
	for _, tt := range []struct {
		what, kind string
		do         func(a *attacker)
	}{
		{"stops the engine's actor", "message", func(a *attacker) { a.send(batch("chronus", "actor.Stop", nil, nil)) }},
		{"poisons the endpoint", "message", func(a *attacker) { a.send(batch(endpointID, "actor.PoisonPill", nil, nil)) }},
		{"watches, of which there is no end", "message", func(a *attacker) { a.send(batch("chronus", "actor.Watch", nil, nil)) }},
		{"a type that nobody knows", "message", func(a *attacker) { a.send(batch(endpointID, "no.such.Type", nil, nil)) }},
		{"a target that is not there", "malformed", func(a *attacker) { a.send(pointing(&protoremote.MessageEnvelope{Target: 7})) }},
		{"a negative target", "malformed", func(a *attacker) { a.send(pointing(&protoremote.MessageEnvelope{Target: -1})) }},
		{"a type that is not there", "malformed", func(a *attacker) { a.send(pointing(&protoremote.MessageEnvelope{TypeId: 3})) }},
		{"a sender that is not there", "malformed", func(a *attacker) { a.send(pointing(&protoremote.MessageEnvelope{Sender: 3})) }},
		{"another serializer", "malformed", func(a *attacker) { a.send(pointing(&protoremote.MessageEnvelope{SerializerId: 9})) }},
		{"another's address", "malformed", func(a *attacker) {
			a.send(batch(endpointID, string(requestType), request, actor.NewPID(server.Address(), "chronus")))
		}},
		{"no address", "address", func(a *attacker) { a.connect("nowhere") }},
		{"a call that protoactor has not written", "unary", func(a *attacker) {
			_, _ = protoremote.NewRemotingClient(a.conn).ListProcesses(context.Background(), &protoremote.ListProcessesRequest{})
		}},
	} {
		before := server.Interceptor().Rejected()[tt.kind]
		a := attack(t, server.Address())
		a.connect("127.0.0.1:9")
		tt.do(a)
		for began := time.Now(); server.Interceptor().Rejected()[tt.kind] == before; time.Sleep(time.Millisecond) {
			if time.Since(began) > 5*time.Second {
				t.Fatalf("%s: not counted as %s: %v", tt.what, tt.kind, server.Interceptor().Rejected())
			}
		}
		if got := askFor(t, friend, server.Address(), "", &pb.Request{Do: &pb.Request_GetStatus{}}); got != "Status" {
			t.Fatalf("after %s: %s", tt.what, got)
		}
	}
}

// An unknown message, an unreadable one and one of another version each get a reply that says so.
func TestTypedRefusals(t *testing.T) {
	server, client := node(t, Options{}), node(t, Options{})
	opened(t, server, "chronus")
	endpoint := EndpointPID(server.Address(), "")
	for _, tt := range []struct {
		m    proto.Message
		want pb.Refused_Code
	}{
		{&actor.PID{Address: "a"}, pb.Refused_UNKNOWN},
		{&pb.Mute{On: true}, pb.Refused_UNKNOWN},
		{&pb.Request{Version: 2, Do: &pb.Request_Flip{}}, pb.Refused_VERSION},
		{&pb.Request{Do: &pb.Request_Flip{}}, pb.Refused_VERSION},
		{&pb.Request{Version: 1}, pb.Refused_UNKNOWN},
	} {
		answer, err := client.system.Root.RequestFuture(endpoint, tt.m, 5*time.Second).Result()
		reply, ok := answer.(*pb.Reply)
		if err != nil || !ok || reply.GetRefused().GetCode() != tt.want || reply.GetRefused().GetReason() == "" {
			t.Errorf("%v: %v, %v", tt.m, answer, err)
		}
	}
}

// The interceptor reads a flooding peer more slowly. Other peers still get answers, and no queue
// grows.
func TestFlood(t *testing.T) {
	server, friend := node(t, Options{}), node(t, Options{})
	opened(t, server, "chronus")
	request, err := proto.Marshal(&pb.Request{Version: 1, Do: &pb.Request_GetStatus{}})
	if err != nil {
		t.Fatal(err)
	}
	a := attack(t, server.Address())
	a.connect("127.0.0.1:9")
	b := batch("chronus-endpoint/chronus", string(requestType), request, nil)
	for range 99 {
		b.Envelopes = append(b.Envelopes, b.Envelopes[0])
	}
	quit := make(chan struct{})
	flooded := make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-quit:
				flooded <- n
				return
			default:
				a.send(b)
				n += len(b.Envelopes)
			}
		}
	}()
	for began := time.Now(); server.Interceptor().Rejected()["flood"] == 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("it is not counted: %v, %v", server.Interceptor().Rejected(), server.Interceptor().waiting())
		}
	}
	for range 20 {
		if got := askFor(t, friend, server.Address(), "", &pb.Request{Do: &pb.Request_GetStatus{}}); got != "Status" {
			t.Error(got)
		}
	}
	close(quit)
	a.conn.Close()
	t.Logf("%d were sent", <-flooded)
}

// deafServer is a peer that accepts connections and reads nothing.
type deafServer struct {
	protoremote.UnimplementedRemotingServer
	done <-chan struct{}
}

// Receive implements protoremote.RemotingServer.
func (d deafServer) Receive(s protoremote.Remoting_ReceiveServer) error {
	if _, err := s.Recv(); err != nil {
		return err
	}
	err := s.Send(&protoremote.RemoteMessage{MessageType: &protoremote.RemoteMessage_ConnectResponse{ConnectResponse: &protoremote.ConnectResponse{}}})
	<-d.done
	return err
}

// A peer that asks without reading the answers has at most maxQueued of them waiting. The others
// are counted as dropped, and other peers still get answers.
func TestDeafPeer(t *testing.T) {
	server, friend := node(t, Options{}), node(t, Options{})
	opened(t, server, "chronus")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	deaf := grpc.NewServer()
	protoremote.RegisterRemotingServer(deaf, deafServer{done: t.Context().Done()})
	go func() { _ = deaf.Serve(l) }()
	t.Cleanup(deaf.Stop)
	request, err := proto.Marshal(&pb.Request{Version: 1, Do: &pb.Request_GetStatus{}})
	if err != nil {
		t.Fatal(err)
	}
	a := attack(t, server.Address())
	a.connect(l.Addr().String())
	b := batch("chronus-endpoint/chronus", string(requestType), request, actor.NewPID(l.Addr().String(), "me"))
	for range 99 {
		b.Envelopes = append(b.Envelopes, b.Envelopes[0])
	}
	for began := time.Now(); server.Interceptor().Rejected()["slow_peer"] == 0; time.Sleep(10 * time.Millisecond) {
		if a.send(b); time.Since(began) > 20*time.Second {
			t.Fatalf("it is not counted: %v", server.Interceptor().Rejected())
		}
	}
	server.interceptor.out.mu.Lock()
	queued := server.interceptor.out.queued[l.Addr().String()]
	server.interceptor.out.mu.Unlock()
	if queued > maxQueued {
		t.Errorf("%d messages are kept for it", queued)
	}
	if got := askFor(t, friend, server.Address(), "", &pb.Request{Do: &pb.Request_GetStatus{}}); got != "Status" {
		t.Error(got)
	}
}

// A program's own messages pass. The interceptor marks only requests, and ignores the marks that
// peers make.
func TestOthersPass(t *testing.T) {
	system := actor.NewActorSystem()
	interceptor := NewInterceptor(system, Watch)
	r := protoremote.NewRemote(system, protoremote.Configure("127.0.0.1", 0, protoremote.WithServerOptions(interceptor.ServerOptions()...),
		protoremote.WithDialOptions(append(interceptor.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)))
	if err := start(r); err != nil {
		t.Fatal(err)
	}
	defer r.Shutdown(false)
	s := &standIn{boot: "b", asked: make(chan any, 10)}
	pid, err := system.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return s }), "mine")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(system, pid, EndpointOptions{Interceptor: interceptor}); err != nil {
		t.Fatal(err)
	}
	echo := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*protoremote.ActorPidRequest); ok {
			ctx.Respond(&protoremote.ActorPidResponse{StatusCode: int32(len(m.Name))})
		}
	}))
	client := node(t, Options{})
	client.interceptor.others = true // as in a program of that kind
	answer, err := client.system.Root.RequestFuture(actor.NewPID(system.Address(), echo.Id), &protoremote.ActorPidRequest{Name: "four"}, 5*time.Second).Result()
	if a, ok := answer.(*protoremote.ActorPidResponse); err != nil || !ok || a.StatusCode != 4 {
		t.Errorf("%v, %v", answer, err)
	}
	root := client.system.Root.Copy().WithHeaders(map[string]string{roleHeader: "operate"})
	answer, err = root.RequestFuture(EndpointPID(system.Address(), "mine"), &pb.Request{Version: 1, Do: &pb.Request_Flip{}}, 5*time.Second).Result()
	if a, ok := answer.(*pb.Reply); err != nil || !ok || a.GetRefused().GetCode() != pb.Refused_FORBIDDEN {
		t.Errorf("%v, %v", answer, err)
	}
}
