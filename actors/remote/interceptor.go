package remote

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Limits on what peers may do to this process.
const (
	maxStreams     = 1024 // connections that send messages
	maxConns       = maxStreams + 256
	idleMost       = time.Minute // after which a connection without streams is closed
	maxMessage     = 1 << 20     // bytes of one packet of messages
	maxRate        = 5000        // messages a second of one connection, on average; a faster one is read more slowly
	maxBurst       = 2 * maxRate
	maxPending     = 4096 // requests that wait at an endpoint; above, no connection is read
	rejectionEvery = time.Second
)

// Rejection reports a message or connection that an Interceptor rejected. It is published on the
// actor system's event stream, at most once a second for each kind.
type Rejection struct {
	Peer   string
	Kind   string
	Reason string
	Total  uint64 // of this kind
}

// Interceptor checks every message that reaches a protoactor remote, before the remote reads it.
// protoactor itself lets any peer stop any actor, and panics on malformed messages. An Interceptor
// admits the messages of actors/pb and marks them with the sender's role. In a program whose remote
// has other uses, it also admits every other readable message that is not for an engine.
type Interceptor struct {
	others bool // admit messages of the program's own
	plain  Role // of peers without TLS
	nonce  string
	system *actor.ActorSystem

	installed atomic.Bool // ServerOptions was called
	streams   atomic.Int64
	conns     atomic.Int64
	out       outgoing
	origins   origins
	mu        sync.Mutex
	endpoints map[string]*atomic.Int64 // requests that wait, by the name of the endpoint's actor
	counts    map[string]uint64
	published map[string]time.Time
}

// NewInterceptor returns an interceptor for the remote of a program that has messages of its own.
// Configure the remote with its ServerOptions and DialOptions, and pass it to Open. plain is the
// role of peers without TLS.
func NewInterceptor(system *actor.ActorSystem, plain Role) *Interceptor {
	i := newInterceptor(system, plain)
	i.others = true
	return i
}

func newInterceptor(system *actor.ActorSystem, plain Role) *Interceptor {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	i := &Interceptor{
		system: system, plain: plain, nonce: hex.EncodeToString(b),
		endpoints: map[string]*atomic.Int64{}, counts: map[string]uint64{}, published: map[string]time.Time{},
	}
	i.out.queued, i.origins.from = map[string]int{}, map[string]string{}
	system.EventStream.Subscribe(i.out.ended)
	return i
}

// ServerOptions returns the options that put the interceptor before a remote.
func (i *Interceptor) ServerOptions() []grpc.ServerOption {
	i.installed.Store(true)
	return []grpc.ServerOption{
		grpc.ChainStreamInterceptor(i.stream),
		grpc.ChainUnaryInterceptor(i.unary),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(16), grpc.ConnectionTimeout(dialWait),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: idleMost, Time: keepaliveTime, Timeout: keepaliveWait,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.ReadBufferSize(bufferSize), grpc.WriteBufferSize(bufferSize),
	}
}

// unary rejects every call that is not a stream: protoactor does not implement them, and panics.
func (i *Interceptor) unary(ctx context.Context, _ any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
	i.reject(ctx, "unary", info.FullMethod+" would end the process")
	return nil, status.Error(codes.Unimplemented, "not served")
}

// Rejected counts the rejections by kind.
func (i *Interceptor) Rejected() map[string]uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	c := map[string]uint64{}
	for k, n := range i.counts {
		c[k] = n
	}
	return c
}

// endpoint returns the counter of requests that wait at an endpoint. open registers the endpoint.
// Without it, endpoint returns nil for an unknown name.
func (i *Interceptor) endpoint(name string, open bool) *atomic.Int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	if open && i.endpoints[name] == nil {
		i.endpoints[name] = &atomic.Int64{}
	}
	return i.endpoints[name]
}

// removeEndpoint unregisters an endpoint.
func (i *Interceptor) removeEndpoint(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.endpoints, name)
}

// waiting returns the number of requests that wait at all endpoints.
func (i *Interceptor) waiting() (n int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, w := range i.endpoints {
		n += w.Load()
	}
	return n
}

// full reports whether an endpoint has too many waiting requests.
func (i *Interceptor) full() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, n := range i.endpoints {
		if n.Load() > maxPending {
			return true
		}
	}
	return false
}

func (i *Interceptor) reject(ctx context.Context, kind, why string) {
	from := "unknown"
	if p, ok := peer.FromContext(ctx); ok {
		from = p.Addr.String()
	}
	i.rejectFrom(from, kind, why)
}

func (i *Interceptor) rejectFrom(from, kind, why string) {
	i.mu.Lock()
	i.counts[kind]++
	n, now := i.counts[kind], time.Now()
	tell := now.Sub(i.published[kind]) >= rejectionEvery
	if tell {
		i.published[kind] = now
	}
	i.mu.Unlock()
	if tell {
		i.system.EventStream.Publish(Rejection{from, kind, why, n})
	}
}

// stream serves one connection. It recovers from panics of protoactor's reader, which malformed
// messages cause.
func (i *Interceptor) stream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo,
	handler grpc.StreamHandler) (err error) {
	ctx := ss.Context()
	if i.streams.Add(1) > maxStreams {
		i.streams.Add(-1)
		i.reject(ctx, kindConnections, fmt.Sprintf("more than %d connections", maxStreams))
		return status.Error(codes.ResourceExhausted, "too many connections")
	}
	defer i.streams.Add(-1)
	defer func() {
		if r := recover(); r != nil {
			i.reject(ctx, "malformed", fmt.Sprint("unreadable message: ", r))
			err = status.Error(codes.InvalidArgument, "unreadable message")
		}
	}()
	return handler(srv, &checkedStream{
		ServerStream: ss, interceptor: i, role: i.role(ctx), cert: peerCertificate(ctx),
		tokens: maxBurst, at: time.Now(),
	})
}
