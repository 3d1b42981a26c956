package remote

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/music-chronus/chronus/actors/pb"
)

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
