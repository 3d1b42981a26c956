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
	// protoactor's default reserves room for a million messages, 16 MB, for each peer.
	queueSize = 64
	batchSize = 256
	// 10 s is the shortest interval of gRPC's client.
	keepaliveTime = 10 * time.Second
	keepaliveWait = 2 * time.Second
	dialWait      = 2 * time.Second
	bufferSize    = 4 << 10
)

// Options of a Node. The zero value of a field means its default.
type Options struct {
	Address   string // host:port to listen on; port 0: a free port
	Advertise string // host:port at which peers reach the node, if different
	TLSDir    string // with CAFile, CertFile, KeyFile and optionally TokensFile; "": plaintext
	// Plain is the role of peers without TLS. Nobody means Operate on loopback. On other addresses
	// it means that Listen refuses plaintext.
	Plain   Role
	TapeDir string // directory of tapes that peers request; "": tapes are refused
}

// Node is an actor system that peers reach at an address.
type Node struct {
	system      *actor.ActorSystem
	remote      *protoremote.Remote
	interceptor *Interceptor
	o           Options
	tokens      Tokens
	sub         *eventstream.Subscription
	close       sync.Once

	mu      sync.Mutex
	follows map[string][]*actor.PID // by address
	ids     atomic.Uint64
}

// Listen returns a node that listens at its address. A used address and an unusable certificate are
// errors. The caller closes the node after the engines that run in it.
func Listen(o Options) (*Node, error) {
	host, portText, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("remote address %q: %w: want host:port", o.Address, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("remote address %q: port %q: want a number up to 65535", o.Address, portText)
	}
	n := &Node{o: o, follows: map[string][]*actor.PID{}}
	config := protoremote.Configure(host, int(port),
		protoremote.WithEndpointWriterQueueSize(queueSize), protoremote.WithEndpointWriterBatchSize(batchSize))
	config.AdvertisedHost, config.MaxRetryCount = o.Advertise, 1
	n.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	dial, serve, err := n.credentials(host)
	if err != nil {
		return nil, err
	}
	config.ServerOptions = append(n.interceptor.ServerOptions(), serve...)
	config.DialOptions = append(dial, n.interceptor.DialOptions()...)
	n.remote = protoremote.NewRemote(n.system, config)
	if err := start(n.remote); err != nil {
		return nil, fmt.Errorf("remote address %s: %w", o.Address, err)
	}
	n.sub = n.system.EventStream.Subscribe(n.lost)
	return n, nil
}

// start starts a remote. protoactor panics if the address is used.
func start(r *protoremote.Remote) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v: choose another address", p)
		}
	}()
	r.Start()
	return nil
}

// credentials returns the credentials of files, or plaintext where that is allowed.
func (n *Node) credentials(host string) (dial []grpc.DialOption, serve []grpc.ServerOption, err error) {
	if n.o.TLSDir == "" {
		ip := net.ParseIP(host)
		loopback := host == "localhost" || ip != nil && ip.IsLoopback()
		if n.o.Plain == Nobody && !loopback {
			return nil, nil, fmt.Errorf("remote address %s: other machines can reach it: "+
				"give certificates, or a role for peers without them", n.o.Address)
		}
		if n.o.Plain == Nobody {
			n.o.Plain = Operate
		}
		n.interceptor = newInterceptor(n.system, n.o.Plain)
		return []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())},
			[]grpc.ServerOption{grpc.Creds(countedCredentials{insecure.NewCredentials(), n.interceptor})}, nil
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
	n.interceptor = newInterceptor(n.system, Nobody)
	return []grpc.DialOption{grpc.WithTransportCredentials(credentials.NewTLS(client))},
		[]grpc.ServerOption{grpc.Creds(n.interceptor.tls(server))}, nil
}

// countedCredentials limits connections to maxConns and counts failed handshakes.
type countedCredentials struct {
	credentials.TransportCredentials
	interceptor *Interceptor
}

func (i *Interceptor) tls(c *tls.Config) credentials.TransportCredentials {
	return countedCredentials{credentials.NewTLS(c), i}
}

// ServerHandshake implements credentials.TransportCredentials.
func (c countedCredentials) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if c.interceptor.conns.Add(1) > maxConns {
		c.interceptor.conns.Add(-1)
		c.interceptor.rejectFrom(conn.RemoteAddr().String(), kindConnections, errConnectionLimit.Error())
		return nil, nil, errConnectionLimit
	}
	out, info, err := c.TransportCredentials.ServerHandshake(conn)
	if err != nil {
		c.interceptor.conns.Add(-1)
		c.interceptor.rejectFrom(conn.RemoteAddr().String(), "handshake", err.Error())
		return out, info, err
	}
	return &countedConn{Conn: out, conns: &c.interceptor.conns}, info, nil
}

var errConnectionLimit = fmt.Errorf("more than %d connections", maxConns)

// countedConn releases its place when it is closed.
type countedConn struct {
	net.Conn
	conns *atomic.Int64
	once  sync.Once
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.once.Do(func() { c.conns.Add(-1) })
	return c.Conn.Close()
}

// Clone implements credentials.TransportCredentials.
func (c countedCredentials) Clone() credentials.TransportCredentials {
	return countedCredentials{c.TransportCredentials.Clone(), c.interceptor}
}

// Address returns the host:port at which peers reach the node.
func (n *Node) Address() string { return n.system.Address() }

// Interceptor returns the node's interceptor.
func (n *Node) Interceptor() *Interceptor { return n.interceptor }

// System returns the node's actor system. Its event stream has each Rejection, and the events of
// the engines that run in the node.
func (n *Node) System() *actor.ActorSystem { return n.system }

// Host returns a host for actors.Embed. Pass the engine that Embed returns to Node.Open.
func (n *Node) Host(name string) actors.Host { return actors.Host{System: n.system, Name: name} }

// Open gives an engine that runs in the node an endpoint under the name of its actor. The endpoint
// ends with the engine.
func (n *Node) Open(e *actors.Engine) error {
	o := EndpointOptions{Interceptor: n.interceptor, Tokens: n.tokens, TapeDir: n.o.TapeDir}
	_, err := Open(n.system, e.PID(), o)
	return err
}

// OpenFunc opens an endpoint that only reports a status, for tests of programs that watch engines.
// It refuses all other requests.
func (n *Node) OpenFunc(name string, status func() actors.Status) error {
	pid, err := n.system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if c, ok := ctx.Message().(actors.Forwarded); ok {
			if _, asked := c.Request.(actors.GetStatus); asked {
				c.Answer(status())
				return
			}
			c.Answer(actors.Refused{
				Code: actors.RefusedUnavailable, Reason: "not an engine: only GetStatus is answered",
			})
		}
	}), name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err = Open(n.system, pid, EndpointOptions{Interceptor: n.interceptor, Tokens: n.tokens})
	return err
}

// Close ends the node. Messages in transit may be lost.
func (n *Node) Close() {
	n.close.Do(func() {
		n.system.EventStream.Unsubscribe(n.sub)
		n.remote.Shutdown(false)
		n.system.Shutdown()
	})
}

// Ask sends one request to the engine of a name at an address, and returns the reply. A Refused is
// returned as a RefusedError too. Ask waits until the deadline of ctx, or 5 s without one. An
// engine takes up to 30 s to change its patch.
func (n *Node) Ask(ctx context.Context, address, name string, r *pb.Request) (*pb.Reply, error) {
	wait := 5 * time.Second
	if at, ok := ctx.Deadline(); ok {
		wait = max(0, time.Until(at)) // a negative timeout would never end
	}
	r.Version, r.Id = pb.Version, n.ids.Add(1)
	future := actor.NewFuture(n.system, wait)
	n.interceptor.origins.expect(future.PID().Id, address)
	defer n.interceptor.origins.forget(future.PID().Id)
	n.system.Root.RequestWithCustomSender(EndpointPID(address, name), r, future.PID())
	answer, err := future.Result()
	switch {
	case errors.Is(err, actor.ErrDeadLetter):
		return nil, fmt.Errorf("%s: no engine called %q, or it cannot be reached", address, name)
	case err != nil:
		return nil, fmt.Errorf("%s: no answer within %v", address, wait.Round(time.Millisecond))
	}
	reply, ok := answer.(*pb.Reply)
	if !ok {
		return nil, fmt.Errorf("%s: unknown reply %T", address, answer)
	}
	if f := reply.GetRefused(); f != nil {
		return reply, RefusedError{address, f.Code, f.Reason}
	}
	return reply, nil
}

// RefusedError reports a request that an endpoint refused.
type RefusedError struct {
	Address string
	Code    pb.Refused_Code
	Reason  string
}

// Error implements error.
func (r RefusedError) Error() string {
	return fmt.Sprintf("%s: %s (%s)", r.Address, r.Reason, r.Code)
}
