package remote

import (
	"context"
	"fmt"
	"sync"

	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

// maxQueued is how many messages may be on their way to one peer. protoactor's queue for it has no bound, and a peer that asks and does not take
// the answers would fill it.
const maxQueued = 4096

// outgoing counts what is on its way to each peer.
type outgoing struct {
	mu     sync.Mutex
	queued map[string]int // by address
}

// add makes room for a message to an address; false: there is none, and the message is to be dropped.
func (o *outgoing) add(address string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.queued[address] >= maxQueued {
		return false
	}
	o.queued[address]++
	return true
}

// sent takes note that so many messages have left.
func (o *outgoing) sent(address string, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if left := o.queued[address] - n; left > 0 {
		o.queued[address] = left
	} else {
		delete(o.queued, address)
	}
}

// ended forgets a peer whose connection has ended: its queue has been dropped.
func (o *outgoing) ended(event any) {
	if e, ok := event.(*protoremote.EndpointTerminatedEvent); ok {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.queued, e.Address)
	}
}

// counting is a stream of which what leaves is counted.
type counting struct {
	grpc.ClientStream
	out     *outgoing
	address string
}

// SendMsg implements grpc.ClientStream.
func (c counting) SendMsg(m any) error {
	err := c.ClientStream.SendMsg(m) // it waits while the peer takes nothing
	if rm, ok := m.(*protoremote.RemoteMessage); ok {
		c.out.sent(c.address, len(rm.GetMessageBatch().GetEnvelopes()))
	}
	return err
}

func (s *Sentry) count(ctx context.Context, d *grpc.StreamDesc, cc *grpc.ClientConn, method string, next grpc.Streamer, o ...grpc.CallOption) (grpc.ClientStream, error) {
	cs, err := next(ctx, d, cc, method, o...)
	if err != nil {
		return nil, err
	}
	return counting{cs, &s.out, cc.Target()}, nil
}

// mayAnswer tells whether there is room for one more message to a peer.
func (s *Sentry) mayAnswer(address string) bool {
	if address == s.system.Address() || s.out.add(address) {
		return true
	}
	s.refuseFrom(address, "deaf", fmt.Sprintf("it asks, and does not take the answers: %d wait; more are dropped", maxQueued))
	return false
}

// DialOptions are how a remote should reach its peers, credentials aside: with keepalive, no longer than it takes to see that they
// are away, and with what is on its way to them counted.
func (s *Sentry) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveWait, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: dialWait}),
		grpc.WithReadBufferSize(bufferSize), grpc.WithWriteBufferSize(bufferSize),
		grpc.WithChainStreamInterceptor(s.count), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
	}
}
