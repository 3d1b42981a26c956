package remote

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/music-chronus/chronus/actors/pb"
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

// checkedStream checks each packet of a connection.
type checkedStream struct {
	grpc.ServerStream
	interceptor *Interceptor
	role        Role
	cert        *x509.Certificate // of the peer; nil: none
	from        string            // address that the peer claims
	tokens      float64
	at          time.Time
}

// RecvMsg implements grpc.ServerStream.
func (w *checkedStream) RecvMsg(m any) error {
	if err := w.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	rm, ok := m.(*protoremote.RemoteMessage)
	if !ok {
		return status.Error(codes.InvalidArgument, "unknown message: want a RemoteMessage")
	}
	switch t := rm.MessageType.(type) {
	case *protoremote.RemoteMessage_ConnectRequest:
		sc := t.ConnectRequest.GetServerConnection()
		if _, _, err := net.SplitHostPort(sc.GetAddress()); err != nil || len(sc.GetAddress()) > 255 {
			w.interceptor.reject(w.Context(), "address", "peer names no address")
			return status.Error(codes.InvalidArgument, "name your address as host:port")
		}
		w.from = sc.GetAddress()
	case *protoremote.RemoteMessage_MessageBatch:
		if err := w.inspect(t.MessageBatch); err != nil {
			w.interceptor.reject(w.Context(), "malformed", err.Error())
			return status.Error(codes.InvalidArgument, err.Error())
		}
		return w.throttle(len(t.MessageBatch.Envelopes))
	}
	return nil
}

// throttle delays reading from a peer that sends faster than maxRate, and from all peers while an
// endpoint is full. Then the peer's queue grows instead of ours.
func (w *checkedStream) throttle(n int) error {
	now := time.Now()
	w.tokens = min(maxBurst, w.tokens+now.Sub(w.at).Seconds()*maxRate) - float64(n)
	w.at = now
	wait := time.Duration(0)
	if w.tokens < 0 {
		w.interceptor.reject(w.Context(), "flood",
			fmt.Sprintf("more than %d messages a second: the connection is read more slowly", maxRate))
		wait = time.Duration(-w.tokens / maxRate * float64(time.Second))
	}
	for wait > 0 || w.interceptor.full() {
		step := min(max(wait, time.Millisecond), 50*time.Millisecond)
		select {
		case <-w.Context().Done():
			return w.Context().Err()
		case <-time.After(step):
		}
		wait -= step
	}
	return nil
}

const (
	requestType = protoreflect.FullName("chronus.v1.Request")
	replyType   = protoreflect.FullName("chronus.v1.Reply")
	reportType  = protoreflect.FullName("chronus.v1.Report")
	deadType    = protoreflect.FullName("actor.DeadLetterResponse") // answers a message to an unknown actor
)

// kindConnections is the kind of the rejections of connections above a limit.
const kindConnections = "connection_limit"

// The headers of an envelope that only an Interceptor sets: the sender's role, and the type of an
// unknown message.
const (
	roleHeader    = "chronus-role"
	unknownHeader = "chronus-unknown"
)

// inspect removes from a packet the messages that may not pass. An error ends the connection.
func (w *checkedStream) inspect(b *protoremote.MessageBatch) error {
	for _, s := range b.Senders { // a program's own peers may forward messages of others
		if s == nil || !w.interceptor.others && (w.from == "" || s.Address != w.from) {
			return fmt.Errorf("sender at %q on a connection from %q", s.GetAddress(), w.from)
		}
	}
	if err := w.checkAddresses(len(b.Senders)); err != nil {
		return err
	}
	for _, target := range b.Targets { // protoactor would forward a message for another address
		if target != nil && !w.interceptor.others {
			target.Address = w.interceptor.system.Address()
		}
	}
	for _, e := range b.Envelopes { // check all before counting any as waiting: an error drops the packet
		if e == nil || !within(e.TypeId, len(b.TypeNames)) || !within(e.Target, len(b.Targets)) ||
			e.Sender != 0 && !within(e.Sender-1, len(b.Senders)) || b.Targets[e.Target] == nil || e.SerializerId != 0 {
			return errors.New("envelope with an invalid index")
		}
		if err := w.readable(b, e); err != nil {
			return err
		}
	}
	kept := b.Envelopes[:0]
	for _, e := range b.Envelopes {
		if w.admit(b, e) {
			kept = append(kept, e)
		}
	}
	b.Envelopes = kept
	return nil
}

func within(i int32, n int) bool { return i >= 0 && int(i) < n }

// readable returns an error for a message that would pass but that protoactor cannot read.
// protoactor would not read the rest of the packet either.
func (w *checkedStream) readable(b *protoremote.MessageBatch, e *protoremote.MessageEnvelope) error {
	name := protoreflect.FullName(b.TypeNames[e.TypeId])
	t, err := protoregistry.GlobalTypes.FindMessageByName(name)
	if err != nil || name == requestType ||
		!w.interceptor.others && name != replyType && name != reportType && name != deadType {
		return nil // the message will be rejected unread
	}
	m := t.New().Interface()
	err = proto.Unmarshal(e.MessageData, m)
	switch m := m.(type) {
	case protoremote.RootSerialized:
		if err == nil {
			_, err = m.Deserialize()
		}
	case *actor.Terminated:
		if m.Who == nil {
			return fmt.Errorf("%s without an actor", name)
		}
	}
	if err != nil {
		return fmt.Errorf("unreadable %s: %w", name, err)
	}
	return nil
}

// protects reports whether an actor is an endpoint, or belongs to the engine of one.
func (i *Interceptor) protects(id string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for name := range i.endpoints {
		engine := strings.TrimPrefix(name, endpointName(""))
		if id == name || id == engine || strings.HasPrefix(id, engine+"/") || strings.HasPrefix(id, name+"/") {
			return true
		}
	}
	return false
}

// admit reports whether a message may pass. It marks a request with the sender's role. It turns an
// unknown message into an empty request, which the endpoint refuses.
func (w *checkedStream) admit(b *protoremote.MessageBatch, e *protoremote.MessageEnvelope) bool {
	name := protoreflect.FullName(b.TypeNames[e.TypeId])
	mark := map[string]string{roleHeader: w.interceptor.nonce + w.role.String()}
	if why := w.checkSender(b.Targets[e.Target].Id); why != "" {
		w.interceptor.reject(w.Context(), "origin", fmt.Sprintf("forged %s: %s", name, why))
		return false
	}
	switch {
	case name == requestType && proto.Unmarshal(e.MessageData, &pb.Request{}) == nil: // marked below
	case (name == replyType || name == reportType || name == deadType) && w.role > Nobody:
		return true
	case w.interceptor.others && name != requestType:
		// Any other message would stop the engine or make it fail.
		if w.interceptor.protects(b.Targets[e.Target].Id) && !changesWatch(name, e.MessageData) {
			w.interceptor.reject(w.Context(), "message", fmt.Sprintf("%s to an engine", name))
			return false
		}
		_, err := protoregistry.GlobalTypes.FindMessageByName(name)
		return err == nil
	case e.Sender == 0:
		w.interceptor.reject(w.Context(), "message", fmt.Sprintf("%s without a sender", name))
		return false
	default:
		mark[unknownHeader] = string(name)
		b.TypeNames = append(b.TypeNames, string(requestType))
		e.TypeId, e.MessageData = int32(len(b.TypeNames)-1), nil
		w.interceptor.reject(w.Context(), "message", fmt.Sprintf("unknown message %s", name))
	}
	if w.interceptor.others { // protoactor would forward a request for another node, with this node's role
		b.Targets = append(b.Targets, actor.NewPID(w.interceptor.system.Address(), b.Targets[e.Target].Id))
		e.Target = int32(len(b.Targets) - 1)
	}
	if waiting := w.interceptor.endpoint(b.Targets[e.Target].Id, false); waiting != nil {
		waiting.Add(1)
	}
	e.MessageHeader = &protoremote.MessageHeader{HeaderData: mark}
	return true
}

// changesWatch reports whether a message starts or ends watching for an actor's end.
func changesWatch(name protoreflect.FullName, data []byte) bool {
	switch name {
	case "actor.Watch":
		m := &actor.Watch{}
		return proto.Unmarshal(data, m) == nil && m.Watcher != nil
	case "actor.Unwatch":
		m := &actor.Unwatch{}
		return proto.Unmarshal(data, m) == nil && m.Watcher != nil
	}
	return false
}
