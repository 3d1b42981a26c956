package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/pb"
)

const (
	// protoactor would make room for a million messages, 16 MB, for each peer.
	queueSize = 64
	batchSize = 256
	// gRPC's client does not ask more often than every 10 s.
	keepaliveTime = 10 * time.Second
	keepaliveWait = 2 * time.Second
	dialWait      = 2 * time.Second
	bufferSize    = 4 << 10
)

// Options of a Node. The zero value of a field means its default.
type Options struct {
	Address   string // host:port to listen on; port 0: one that is free
	Advertise string // host:port that peers reach it at, if that is another
	TLSDir    string // with CAFile, CertFile, KeyFile and perhaps TokensFile; "": plaintext
	Plain     Role   // the role of peers without TLS. On loopback it is Operate if it is Nobody; elsewhere Nobody means that plaintext is refused
	TapeDir   string // where tapes go that are asked for from elsewhere; "": they are refused
}

// Node is a place at an address, with an actor system of its own.
type Node struct {
	system *actor.ActorSystem
	remote *protoremote.Remote
	sentry *Sentry
	o      Options
	tokens Tokens
	sub    *eventstream.Subscription
	close  sync.Once

	mu      sync.Mutex
	follows map[string][]*actor.PID // by address
	ids     atomic.Uint64
}

// Listen makes a node. That its address is taken, or its certificates are none, is an error. The caller closes it, after the engines that live in it.
func Listen(o Options) (*Node, error) {
	host, portText, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("remote address %q: %w: it is host:port", o.Address, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("remote address %q: port %q is no number up to 65535", o.Address, portText)
	}
	n := &Node{o: o, follows: map[string][]*actor.PID{}}
	config := protoremote.Configure(host, int(port), protoremote.WithEndpointWriterQueueSize(queueSize), protoremote.WithEndpointWriterBatchSize(batchSize))
	config.AdvertisedHost, config.MaxRetryCount = o.Advertise, 1
	n.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	dial, serve, err := n.credentials(host)
	if err != nil {
		return nil, err
	}
	config.ServerOptions = append(n.sentry.ServerOptions(), serve...)
	config.DialOptions = append(dial, n.sentry.DialOptions()...)
	n.remote = protoremote.NewRemote(n.system, config)
	if err := start(n.remote); err != nil {
		return nil, fmt.Errorf("remote address %s: %w", o.Address, err)
	}
	n.sub = n.system.EventStream.Subscribe(n.lost)
	return n, nil
}

// start starts a remote, which panics if its address is taken.
func start(r *protoremote.Remote) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v: choose another", p)
		}
	}()
	r.Start()
	return nil
}

// credentials are by files, or plaintext where that is allowed.
func (n *Node) credentials(host string) (dial []grpc.DialOption, serve []grpc.ServerOption, err error) {
	if n.o.TLSDir == "" {
		ip := net.ParseIP(host)
		loopback := host == "localhost" || ip != nil && ip.IsLoopback()
		if n.o.Plain == Nobody && !loopback {
			return nil, nil, fmt.Errorf("remote address %s can be reached from other machines: give certificates, or say which role anybody without them has", n.o.Address)
		}
		if n.o.Plain == Nobody {
			n.o.Plain = Operate
		}
		n.sentry = newSentry(n.system, n.o.Plain)
		return []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())},
			[]grpc.ServerOption{grpc.Creds(counted{insecure.NewCredentials(), n.sentry})}, nil
	}
	server, client, err := loadTLS(n.o.TLSDir)
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(filepath.Join(n.o.TLSDir, TokensFile))
	if err == nil {
		n.tokens, err = ParseTokens(text)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	n.sentry = newSentry(n.system, Nobody)
	return []grpc.DialOption{grpc.WithTransportCredentials(credentials.NewTLS(client))},
		[]grpc.ServerOption{grpc.Creds(n.sentry.tls(server))}, nil
}

// counted are credentials that count connections, of which there are no more than maxConns, and peers that have none.
type counted struct {
	credentials.TransportCredentials
	sentry *Sentry
}

func (g *Sentry) tls(c *tls.Config) credentials.TransportCredentials {
	return counted{credentials.NewTLS(c), g}
}

// ServerHandshake implements credentials.TransportCredentials.
func (c counted) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if c.sentry.conns.Add(1) > maxConns {
		c.sentry.conns.Add(-1)
		c.sentry.refuseFrom(conn.RemoteAddr().String(), "crowd", errCrowd.Error())
		return nil, nil, errCrowd
	}
	out, info, err := c.TransportCredentials.ServerHandshake(conn)
	if err != nil {
		c.sentry.conns.Add(-1)
		c.sentry.refuseFrom(conn.RemoteAddr().String(), "handshake", err.Error())
		return out, info, err
	}
	return &countedConn{Conn: out, conns: &c.sentry.conns}, info, nil
}

var errCrowd = fmt.Errorf("%d connections are the most", maxConns)

// countedConn gives its place back as it is closed.
type countedConn struct {
	net.Conn
	conns *atomic.Int64
	once  sync.Once
}

// Close closes the connection.
func (c *countedConn) Close() error {
	c.once.Do(func() { c.conns.Add(-1) })
	return c.Conn.Close()
}

// Clone implements credentials.TransportCredentials.
func (c counted) Clone() credentials.TransportCredentials {
	return counted{c.TransportCredentials.Clone(), c.sentry}
}

// Address is where peers reach the node.
func (n *Node) Address() string { return n.system.Address() }

// Sentry is what stands before it.
func (n *Node) Sentry() *Sentry { return n.sentry }

// System is the node's actor system: its event stream has each Refusal, and the events of the engines that live here.
func (n *Node) System() *actor.ActorSystem { return n.system }

// Host is a place for an engine in the node: give it to actors.Embed, and what comes of that to Open.
func (n *Node) Host(name string) actors.Host { return actors.Host{System: n.system, Name: name} }

// Open opens an engine that lives in the node to peers, under the name of its actor. The door ends with the engine.
func (n *Node) Open(e *actors.Engine) error {
	_, err := Open(n.system, e.PID(), EndpointOptions{Sentry: n.sentry, Tokens: n.tokens, TapeDir: n.o.TapeDir})
	return err
}

// OpenFunc opens what only says how it is, under a name: for tests and trials of what watches engines. It carries nothing out.
func (n *Node) OpenFunc(name string, status func() actors.Status) error {
	pid, err := n.system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if c, ok := ctx.Message().(actors.Forwarded); ok {
			if _, asked := c.Request.(actors.GetStatus); asked {
				c.Answer(status())
				return
			}
			c.Answer(actors.Refused{Code: actors.RefusedUnavailable, Reason: "this is no engine"})
		}
	}), name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err = Open(n.system, pid, EndpointOptions{Sentry: n.sentry, Tokens: n.tokens})
	return err
}

// Close ends the node. What is on its way may be lost.
func (n *Node) Close() {
	n.close.Do(func() {
		n.system.EventStream.Unsubscribe(n.sub)
		n.remote.Shutdown(false)
		n.system.Shutdown()
	})
}

// Ask sends one request to the engine of that name at an address and returns what answers it. A Refused is the error, as a RefusedError. It waits
// until the deadline of ctx, 5 s without one: an engine elsewhere may be cut off. For another patch an engine gives itself 30 s.
func (n *Node) Ask(ctx context.Context, address, name string, r *pb.Request) (*pb.Reply, error) {
	wait := 5 * time.Second
	if at, ok := ctx.Deadline(); ok {
		wait = max(0, time.Until(at)) // a negative one would be for ever
	}
	r.Version, r.Id = pb.Version, n.ids.Add(1)
	future := actor.NewFuture(n.system, wait)
	n.sentry.origins.expect(future.PID().Id, address)
	defer n.sentry.origins.forget(future.PID().Id)
	n.system.Root.RequestWithCustomSender(EndpointPID(address, name), r, future.PID())
	answer, err := future.Result()
	switch {
	case errors.Is(err, actor.ErrDeadLetter):
		return nil, fmt.Errorf("%s: there is no engine called %q, or it cannot be reached", address, name)
	case err != nil:
		return nil, fmt.Errorf("%s: no answer within %v", address, wait.Round(time.Millisecond))
	}
	reply, ok := answer.(*pb.Reply)
	if !ok {
		return nil, fmt.Errorf("%s: it answers with a %T", address, answer)
	}
	if f := reply.GetRefused(); f != nil {
		return reply, RefusedError{address, f.Code, f.Reason}
	}
	return reply, nil
}

// RefusedError is what a door refused, and why.
type RefusedError struct {
	Address string
	Code    pb.Refused_Code
	Reason  string
}

// Error says where, of what kind, and why.
func (r RefusedError) Error() string {
	return fmt.Sprintf("%s: %s (%s)", r.Address, r.Reason, r.Code)
}
