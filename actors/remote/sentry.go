package remote

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
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

// Bounds on what peers may do to this process.
const (
	maxStreams  = 1024 // connections that send
	maxConns    = maxStreams + 256
	idleMost    = time.Minute // that a connection may be there for nothing
	maxMessage  = 1 << 20     // bytes of one packet of messages
	maxRate     = 5000        // requests a second of one connection, on average; beyond it is read more slowly
	maxBurst    = 2 * maxRate
	maxPending  = 4096 // requests that a door has not looked at; beyond, nothing more is read
	refusalsMax = time.Second
)

// Refusal is what a Sentry has not let in: an event on the actor system's event stream, one a second and kind at the most.
type Refusal struct {
	Peer  string
	Kind  string
	Why   string
	Total uint64 // of this kind
}

// Sentry looks at what comes in by a protoactor remote before that does, which would let any peer stop any actor, and end the process by a message
// that is not what it says. It lets in the messages of actors/pb, marked with the sender's role, and nothing else; or, in a program
// whose remote has other work to do, all that can be read.
type Sentry struct {
	others bool // other messages than ours are let in
	plain  Role // of peers without TLS
	nonce  string
	system *actor.ActorSystem

	stands  atomic.Bool // a remote has been given its options
	streams atomic.Int64
	conns   atomic.Int64
	out     outgoing
	origins origins
	mu      sync.Mutex
	doors   map[string]*atomic.Int64 // by the names of their actors: requests that they have not looked at
	counts  map[string]uint64
	told    map[string]time.Time
}

// NewSentry makes a sentry for the remote of a program that has messages of its own: give its ServerOptions to that remote, and the sentry to
// Open. plain is the role of peers that come without TLS.
func NewSentry(system *actor.ActorSystem, plain Role) *Sentry {
	g := newSentry(system, plain)
	g.others = true
	return g
}

func newSentry(system *actor.ActorSystem, plain Role) *Sentry {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	s := &Sentry{system: system, plain: plain, nonce: hex.EncodeToString(b), counts: map[string]uint64{}, doors: map[string]*atomic.Int64{}, told: map[string]time.Time{}}
	s.out.queued, s.origins.from = map[string]int{}, map[string]string{}
	system.EventStream.Subscribe(s.out.ended)
	return s
}

// ServerOptions are what a remote has to be configured with to have the sentry before it.
func (g *Sentry) ServerOptions() []grpc.ServerOption {
	g.stands.Store(true)
	return []grpc.ServerOption{
		grpc.ChainStreamInterceptor(g.stream),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, _ any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
			g.refuse(ctx, "unary", info.FullMethod+" would end the process") // protoactor has not written it
			return nil, status.Error(codes.Unimplemented, "not served")
		}),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(16), grpc.ConnectionTimeout(dialWait),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleMost, Time: keepaliveTime, Timeout: keepaliveWait}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.ReadBufferSize(bufferSize), grpc.WriteBufferSize(bufferSize),
	}
}

// Refused counts what has not been let in, by kind.
func (g *Sentry) Refused() map[string]uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := map[string]uint64{}
	for k, n := range g.counts {
		c[k] = n
	}
	return c
}

// door counts what waits at a door, from when it opens; nil: there is no such door.
func (g *Sentry) door(name string, open bool) *atomic.Int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open && g.doors[name] == nil {
		g.doors[name] = &atomic.Int64{}
	}
	return g.doors[name]
}

// shut forgets a door.
func (g *Sentry) shut(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.doors, name)
}

// waiting is what waits at all doors.
func (g *Sentry) waiting() (n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.doors {
		n += w.Load()
	}
	return n
}

// full tells whether too much waits at a door.
func (g *Sentry) full() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.doors {
		if n.Load() > maxPending {
			return true
		}
	}
	return false
}

func (g *Sentry) refuse(ctx context.Context, kind, why string) {
	from := "unknown"
	if p, ok := peer.FromContext(ctx); ok {
		from = p.Addr.String()
	}
	g.refuseFrom(from, kind, why)
}

func (g *Sentry) refuseFrom(from, kind, why string) {
	g.mu.Lock()
	g.counts[kind]++
	n, now := g.counts[kind], time.Now()
	tell := now.Sub(g.told[kind]) >= refusalsMax
	if tell {
		g.told[kind] = now
	}
	g.mu.Unlock()
	if tell {
		g.system.EventStream.Publish(Refusal{from, kind, why, n})
	}
}

// stream serves one connection. protoactor's reader panics on messages that are not what they say: that must not end the process.
func (g *Sentry) stream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	ctx := ss.Context()
	if g.streams.Add(1) > maxStreams {
		g.streams.Add(-1)
		g.refuse(ctx, "crowd", fmt.Sprintf("%d connections; more are refused", maxStreams))
		return status.Error(codes.ResourceExhausted, "too many connections")
	}
	defer g.streams.Add(-1)
	defer func() {
		if r := recover(); r != nil {
			g.refuse(ctx, "malformed", fmt.Sprint("a message could not be read: ", r))
			err = status.Error(codes.InvalidArgument, "a message could not be read")
		}
	}()
	w := &watched{ServerStream: ss, sentry: g, role: g.role(ctx), cert: shown(ctx), tokens: maxBurst, at: time.Now()}
	return handler(srv, w)
}

// watched is a connection's stream, of which each packet is looked at.
type watched struct {
	grpc.ServerStream
	sentry *Sentry
	role   Role
	cert   *x509.Certificate // of the peer; nil: it has none
	from   string            // the address that the peer says it has
	tokens float64
	at     time.Time
}

// RecvMsg implements grpc.ServerStream.
func (w *watched) RecvMsg(m any) error {
	if err := w.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	rm, ok := m.(*protoremote.RemoteMessage)
	if !ok {
		return status.Error(codes.InvalidArgument, "no message of a remote")
	}
	switch t := rm.MessageType.(type) {
	case *protoremote.RemoteMessage_ConnectRequest:
		sc := t.ConnectRequest.GetServerConnection()
		if _, _, err := net.SplitHostPort(sc.GetAddress()); err != nil || len(sc.GetAddress()) > 255 {
			w.sentry.refuse(w.Context(), "address", "the peer names no address of its own")
			return status.Error(codes.InvalidArgument, "name your address as host:port")
		}
		w.from = sc.GetAddress()
	case *protoremote.RemoteMessage_MessageBatch:
		if err := w.inspect(t.MessageBatch); err != nil {
			w.sentry.refuse(w.Context(), "malformed", err.Error())
			return status.Error(codes.InvalidArgument, err.Error())
		}
		return w.brake(len(t.MessageBatch.Envelopes))
	}
	return nil
}

// brake reads from a peer no faster than it may send, and not at all while too much is waiting to be answered: then the peer's own
// queue grows, and not ours.
func (w *watched) brake(n int) error {
	now := time.Now()
	w.tokens = min(maxBurst, w.tokens+now.Sub(w.at).Seconds()*maxRate) - float64(n)
	w.at = now
	wait := time.Duration(0)
	if w.tokens < 0 {
		w.sentry.refuse(w.Context(), "flood", fmt.Sprintf("more than %d messages a second: it is read more slowly", maxRate))
		wait = time.Duration(-w.tokens / maxRate * float64(time.Second))
	}
	for wait > 0 || w.sentry.full() {
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
	deadType    = protoreflect.FullName("actor.DeadLetterResponse") // answers what was sent to nobody
)

// The headers of an envelope that only a Sentry sets: the role of its sender, and the type of a message that is not known.
const (
	roleHeader    = "chronus-role"
	unknownHeader = "chronus-unknown"
)

// inspect lets what may pass stand in the packet. The error ends the connection.
func (w *watched) inspect(b *protoremote.MessageBatch) error {
	for _, s := range b.Senders { // a program's own peers may forward what others have sent
		if s == nil || !w.sentry.others && (w.from == "" || s.Address != w.from) {
			return fmt.Errorf("a sender at %q came from %q", s.GetAddress(), w.from)
		}
	}
	if err := w.senders(len(b.Senders)); err != nil {
		return err
	}
	for _, target := range b.Targets { // whatever name the peer has for this node; a message for another would be sent on
		if target != nil && !w.sentry.others {
			target.Address = w.sentry.system.Address()
		}
	}
	for _, e := range b.Envelopes { // all, before any is counted as on its way to a door: it would wait there for ever
		if e == nil || !within(e.TypeId, len(b.TypeNames)) || !within(e.Target, len(b.Targets)) || e.Sender != 0 && !within(e.Sender-1, len(b.Senders)) ||
			b.Targets[e.Target] == nil || e.SerializerId != 0 {
			return fmt.Errorf("an envelope that points nowhere")
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

// readable is an error for a message that would be let in and that protoactor cannot read: it would not read the rest of the packet either.
func (w *watched) readable(b *protoremote.MessageBatch, e *protoremote.MessageEnvelope) error {
	name := protoreflect.FullName(b.TypeNames[e.TypeId])
	t, err := protoregistry.GlobalTypes.FindMessageByName(name)
	if err != nil || name == requestType || !w.sentry.others && name != replyType && name != reportType && name != deadType {
		return nil // it will be refused, and its text is not read
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
			return fmt.Errorf("a %s of nobody", name)
		}
	}
	if err != nil {
		return fmt.Errorf("a %s that cannot be read: %w", name, err)
	}
	return nil
}

// guards tells whether an actor is a door, or belongs to the engine behind one.
func (g *Sentry) guards(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for door := range g.doors {
		engine := strings.TrimPrefix(door, doorName(""))
		if id == door || id == engine || strings.HasPrefix(id, engine+"/") || strings.HasPrefix(id, door+"/") {
			return true
		}
	}
	return false
}

// admit tells whether a message may pass. A request is marked with its sender's role, what is none of ours is made a request that will be refused.
func (w *watched) admit(b *protoremote.MessageBatch, e *protoremote.MessageEnvelope) bool {
	name := protoreflect.FullName(b.TypeNames[e.TypeId])
	mark := map[string]string{roleHeader: w.sentry.nonce + w.role.String()}
	if why := w.stranger(b.Targets[e.Target].Id); why != "" {
		w.sentry.refuse(w.Context(), "origin", fmt.Sprintf("a %s that was made up: %s", name, why))
		return false
	}
	switch {
	case name == requestType && proto.Unmarshal(e.MessageData, &pb.Request{}) == nil: // it is marked
	case (name == replyType || name == reportType || name == deadType) && w.role > Nobody:
		return true
	case w.sentry.others && name != requestType:
		if w.sentry.guards(b.Targets[e.Target].Id) && !watches(name, e.MessageData) { // it would be stopped, or fail
			w.sentry.refuse(w.Context(), "message", fmt.Sprintf("a %s to an engine", name))
			return false
		}
		_, err := protoregistry.GlobalTypes.FindMessageByName(name)
		return err == nil
	case e.Sender == 0:
		w.sentry.refuse(w.Context(), "message", fmt.Sprintf("a %s, which nobody sent", name))
		return false
	default:
		mark[unknownHeader] = string(name)
		b.TypeNames = append(b.TypeNames, string(requestType))
		e.TypeId, e.MessageData = int32(len(b.TypeNames)-1), nil
		w.sentry.refuse(w.Context(), "message", fmt.Sprintf("a %s", name))
	}
	if w.sentry.others { // it would be sent on to another node, and have this one's role there
		b.Targets = append(b.Targets, actor.NewPID(w.sentry.system.Address(), b.Targets[e.Target].Id))
		e.Target = int32(len(b.Targets) - 1)
	}
	if waiting := w.sentry.door(b.Targets[e.Target].Id, false); waiting != nil {
		waiting.Add(1)
	}
	e.MessageHeader = &protoremote.MessageHeader{HeaderData: mark}
	return true
}

// watches tells whether a message begins or ends to watch for the end of an actor.
func watches(name protoreflect.FullName, data []byte) bool {
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
